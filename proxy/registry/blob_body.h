// Bodies of blob answers: a stored blob, one that is still being filled, or one that passes through uncached.
#pragma once

#include <chrono>
#include <memory>

#include "proxy/fill/fill.h"
#include "proxy/net/http.h"
#include "proxy/oci/byte_range.h"
#include "proxy/upstream/upstream.h"
#include "storage/blob_store.h"
#include "storage/blocking_pool.h"
#include "storage/partial_blob.h"

namespace paddock {

BodyStream stored_body(Blob blob, ByteRange range);

// Follows the fill; aborts when no byte comes for `stall`. `reader` lives as long as the stream.
BodyStream filling_body(std::shared_ptr<PartialBlob> partial, ByteRange range, std::chrono::milliseconds stall,
                        std::shared_ptr<Fill::Reader> reader);

// A whole blob from the upstream to one client, hashed on the way; its last piece is held back until the digest has
// been found right. `transfer` starts at 0 and `size` is the blob's.
BodyStream passing_body(BlobTransfer transfer, std::uint64_t size, Digest digest, BlockingPool& pool);

}  // namespace paddock
