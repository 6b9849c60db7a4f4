internal import CCurl

/// libcurl's callbacks: all run on the reactor's thread and pass on to the transfer that the handle works for.
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

    static let ready: curl_prereq_callback = { owner, _, _, _, localPort in
        transfer(owner)?.connected(localPort: Int(localPort)) == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    static let progress: curl_xferinfo_callback = { owner, _, _, _, sent in
        transfer(owner)?.sent(upTo: Int(sent))
        return 0
    }

    private static func transfer(_ owner: UnsafeMutableRawPointer?) -> CurlTransfer? {
        owner.flatMap { Unmanaged<CurlEasy>.fromOpaque($0).takeUnretainedValue().transfer }
    }
}
