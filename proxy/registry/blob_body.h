// Bodies of blob answers: a stored blob, one that is still being filled, or one that passes through uncached.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "proxy/fill/fill.h"
#include "proxy/fill/uncached_stream.h"
#include "proxy/net/http.h"
#include "proxy/oci/byte_range.h"
#include "storage/blob_store.h"
#include "storage/partial_blob.h"

namespace paddock {

BodyStream stored_body(Blob blob, ByteRange range);

// What a reader at a position goes on with when our disk has ended its fill, see UncachedStreams::go_on().
using GoOn = std::function<Result<std::shared_ptr<UncachedStream::Reader>>(std::shared_ptr<PartialBlob>, std::uint64_t,
                                                                           const Error&)>;

// Follows the fill; aborts when no byte comes for `stall`. `reader` lives as long as the stream.
BodyStream filling_body(std::shared_ptr<PartialBlob> partial, ByteRange range, std::chrono::milliseconds stall,
                        std::shared_ptr<Fill::Reader> reader, GoOn go_on);

// A whole blob of `size` bytes that passes through; aborts when no byte comes for `stall`.
BodyStream uncached_body(std::shared_ptr<UncachedStream::Reader> reader, std::uint64_t size,
                         std::chrono::milliseconds stall);

}  // namespace paddock
