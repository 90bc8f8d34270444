"""What benchmarks/compare and benchmarks/scaling share: servers, images, load, measuring, reports."""
