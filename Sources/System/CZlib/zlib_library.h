#pragma once
#include <string.h>
#include <zlib.h>

// deflateInit2 is a macro, which Swift does not see. 16 on top of the window's bits asks for gzip (RFC 1952).

static inline unsigned long zlib_gzip_bound(unsigned long length) { return compressBound(length) + 32; }

// The length of what was written; 0 when there was no memory or no room.
static inline unsigned long zlib_gzip(
    const unsigned char *input, unsigned long length, unsigned char *output, unsigned long capacity, int level) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)input;
    stream.avail_in = (uInt)length;
    stream.next_out = output;
    stream.avail_out = (uInt)capacity;
    unsigned long written = deflate(&stream, Z_FINISH) == Z_STREAM_END ? stream.total_out : 0;
    deflateEnd(&stream);
    return written;
}
