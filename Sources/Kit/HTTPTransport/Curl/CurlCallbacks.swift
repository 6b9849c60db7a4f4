internal import CCurl

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// libcurl's callbacks: all run under the loop's lock, and those of a handle pass on to the transfer that it works for.
enum CurlCallbacks {
    static let header: curl_write_callback = { bytes, _, count, owner in
        guard let bytes, let transfer = transfer(owner) else { return 0 }
        return transfer.receiveHeaderLine(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
    }

    static let body: curl_write_callback = { bytes, _, count, owner in
        guard let bytes, let transfer = transfer(owner) else { return 0 }
        switch transfer.receiveBody(UnsafeRawBufferPointer(start: bytes, count: count)) {
        case .taken: return count
        case .full: return Int(CURL_WRITEFUNC_PAUSE)
        case .unwanted: return count &+ 1
        }
    }

    static let read: curl_read_callback = { buffer, size, count, owner in
        guard let buffer, let owner else { return 0 }
        let easy = Unmanaged<CurlEasy>.fromOpaque(owner).takeUnretainedValue()
        return easy.readUpload(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
    }

    static let seek: curl_seek_callback = { owner, offset, origin in
        guard let owner, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
        Unmanaged<CurlEasy>.fromOpaque(owner).takeUnretainedValue().seekUpload(to: Int(offset))
        return CURL_SEEKFUNC_OK
    }

    static let ready: curl_prereq_callback = { owner, _, _, _, localPort in
        transfer(owner)?.connected(localPort: Int(localPort)) == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    static let progress: curl_xferinfo_callback = { owner, _, _, _, sent in
        transfer(owner)?.sent(upTo: Int(sent))
        return 0
    }

    static let socket: curl_socket_callback = { _, descriptor, wanted, owner, _ in
        if let owner { Unmanaged<CurlSockets>.fromOpaque(owner).takeUnretainedValue().want(wanted, of: descriptor) }
        return 0
    }

    static let timer: curl_multi_timer_callback = { _, milliseconds, owner in
        if let owner {
            Unmanaged<CurlLoop>.fromOpaque(owner).takeUnretainedValue().setTimer(milliseconds: milliseconds)
        }
        return 0
    }

    private static func transfer(_ owner: UnsafeMutableRawPointer?) -> CurlTransfer? {
        owner.flatMap { Unmanaged<CurlEasy>.fromOpaque($0).takeUnretainedValue().transfer }
    }
}
