// Bodies of blob answers: a stored blob, one that is still being filled, or one that passes through uncached.
#pragma once

#include <chrono>
#include <memory>

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
                        std::shared_ptr<void> reader);

// From the upstream to one client. A whole blob is hashed on the way, and its last piece is held back until the digest
// has been found right; of a range nothing can be verified here, the client does. `transfer` starts at or before
// range.first and `size` is the blob's.
BodyStream passing_body(BlobTransfer transfer, ByteRange range, std::uint64_t size, Digest digest, BlockingPool& pool);

}  // namespace paddock
