internal import CCurl

/// One libcurl easy handle with everything set that is alike for all requests of a transport. Used by one thread at a
/// time: by the task that fills it in, then under the loop's lock until the transfer has ended.
final class CurlEasy: @unchecked Sendable {  // handed from thread to thread through locks, never shared
    let handle: UnsafeMutableRawPointer
    /// The transfer that the handle works for; libcurl's callbacks come with the handle's owner only.
    var transfer: CurlTransfer?
    private let offersHTTP2: Bool
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerLines: [String] = []
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var connectToList: UnsafeMutablePointer<curl_slist>?
    private var recipientList: UnsafeMutablePointer<curl_slist>?
    private var upload: [UInt8] = []
    private var uploaded = 0

    /// Nil when there is no memory for it. `sockets` has to outlive every connection.
    init?(_ configuration: CurlTransport.Configuration, sockets: CurlSockets) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        offersHTTP2 = configuration.offersHTTP2
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setConstants(configuration)
        setTLS(configuration.tls)
        setProxy(configuration.proxy)
        setCallbacks(sockets)
        if let mail = configuration.mail { setMail(mail) }
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headerList)
        curl_slist_free_all(connectToList)
        curl_slist_free_all(recipientList)
        errorText.deallocate()
    }

    /// libcurl's text for what went wrong last, or nothing.
    var detail: String { String(cString: errorText) }

    // MARK: Per request

    func prepare(_ plan: RequestPlan, connectTimeout: Duration) {
        errorText[0] = 0
        // Waiting for a handshake shows whether its connection can be shared. Without TLS libcurl would wait for a
        // whole response to learn that.
        set(CURLOPT_PIPEWAIT, plan.mayShareConnection && offersHTTP2 ? 1 : 0)
        set(CURLOPT_URL, plan.url)
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, connectTimeout.wholeMilliseconds))
        set(CURLOPT_HTTPGET, 1)
        switch plan.kind {
        case .head:
            set(CURLOPT_NOBODY, 1)
            ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, nil)
        case .withoutBody:
            ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, plan.method == "GET" ? nil : plan.method)
        case .withBody:
            setBody(plan.body)
            set(CURLOPT_CUSTOMREQUEST, plan.method)
        }
        setHeaders(plan.headerLines)
        guard let connectTo = plan.connectTo else { return }
        connectToList = Self.list([connectTo])
        ccurl_set_list(handle, CURLOPT_CONNECT_TO, connectToList)
    }

    func prepare(_ plan: MailPlan, connectTimeout: Duration) {
        errorText[0] = 0
        set(CURLOPT_URL, plan.url)
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, connectTimeout.wholeMilliseconds))
        set(CURLOPT_UPLOAD, 1)  // `reset` takes it back
        set(CURLOPT_MAIL_FROM, "<\(plan.sender)>")
        recipientList = Self.list(["<\(plan.recipient)>"])
        ccurl_set_list(handle, CURLOPT_MAIL_RCPT, recipientList)
        upload = plan.message
        uploaded = 0
        ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(upload.count))
    }

    /// Returns how many bytes it put there; 0 at the end.
    func readUpload(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, upload.count - uploaded)
        upload.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[uploaded..<uploaded + count]))
        }
        uploaded += count
        return count
    }

    func seekUpload(to offset: Int) { uploaded = min(max(0, offset), upload.count) }

    /// Until `reset`, no kept connection is used.
    func takesFreshConnection() { set(CURLOPT_FRESH_CONNECT, 1) }

    /// Lets go of what belonged to the last request.
    func reset() {
        transfer = nil
        set(CURLOPT_FRESH_CONNECT, 0)
        ccurl_set_pointer(handle, CURLOPT_POSTFIELDS, nil)
        set(CURLOPT_NOPROGRESS, 1)
        upload = []
        if recipientList != nil {
            ccurl_set_list(handle, CURLOPT_MAIL_RCPT, nil)
            curl_slist_free_all(recipientList)
            recipientList = nil
        }
        guard connectToList != nil else { return }
        ccurl_set_list(handle, CURLOPT_CONNECT_TO, nil)
        curl_slist_free_all(connectToList)
        connectToList = nil
    }

    /// Most requests of a transport come with the headers of the one before, so the list is kept.
    private func setHeaders(_ lines: [String]) {
        guard lines != headerLines else { return }
        ccurl_set_list(handle, CURLOPT_HTTPHEADER, nil)
        curl_slist_free_all(headerList)
        headerList = Self.list(lines)
        headerLines = lines
        ccurl_set_list(handle, CURLOPT_HTTPHEADER, headerList)
    }

    private func setBody(_ body: [UInt8]) {
        set(CURLOPT_POST, 1)
        ccurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        body.withUnsafeBytes { bytes in
            // An empty array may have no address, and no address means "ask the read callback".
            _ = withUnsafeBytes(of: 0 as UInt8) { none in
                ccurl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS,
                    UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? none.baseAddress))
            }
        }
        // Progress is asked for only where sending takes long enough to matter to an idle deadline.
        if body.count > 64 << 10 { set(CURLOPT_NOPROGRESS, 0) }
    }

    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        lines.reduce(nil) { curl_slist_append($0, $1) ?? $0 }
    }

    // MARK: Once

    private func setConstants(_ configuration: CurlTransport.Configuration) {
        ccurl_set_pointer(handle, CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_QUICK_EXIT, 1)  // ending a transfer never waits for a name lookup
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_HTTP_VERSION, configuration.offersHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
        set(CURLOPT_MAXAGE_CONN, Int(configuration.maxIdleTime.components.seconds))
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_TCP_KEEPIDLE, 15)
        set(CURLOPT_TCP_KEEPINTVL, 15)
        if configuration.decompressesResponses { set(CURLOPT_ACCEPT_ENCODING, "") }
        if let userAgent = configuration.userAgent { set(CURLOPT_USERAGENT, userAgent) }
    }

    /// STARTTLS where the connection does not begin with TLS, and nothing without.
    private func setMail(_ mail: SMTPTransport.Configuration) {
        set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        // Within libcurl, the end of a message and QUIT are waited for by these alone.
        set(CURLOPT_TIMEOUT_MS, max(1, mail.totalTimeout.wholeMilliseconds))
        set(CURLOPT_SERVER_RESPONSE_TIMEOUT, max(1, Int(min(mail.totalTimeout, .seconds(30)).components.seconds)))
        if mail.security != .none { set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let credentials = mail.credentials {
            set(CURLOPT_USERNAME, credentials.user)
            set(CURLOPT_PASSWORD, credentials.password)
        }
        let owner = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_on_read(handle, CurlCallbacks.read)
        ccurl_set_pointer(handle, CURLOPT_READDATA, owner)
        ccurl_set_on_seek(handle, CurlCallbacks.seek)
        ccurl_set_pointer(handle, CURLOPT_SEEKDATA, owner)
    }

    private func setTLS(_ tls: CurlTransport.TLS) {
        set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        switch tls.trust {
        case .system: break
        case .authorities(let pem): set(CURLOPT_CAINFO_BLOB, pem)
        case .anyone:
            set(CURLOPT_SSL_VERIFYPEER, 0)
            set(CURLOPT_SSL_VERIFYHOST, 0)
        }
        if let certificate = tls.clientCertificate {
            set(CURLOPT_SSLCERT_BLOB, certificate.chainPEM)
            set(CURLOPT_SSLKEY_BLOB, certificate.keyPEM)
        }
    }

    private func setProxy(_ proxy: CurlTransport.Proxy) {
        switch proxy {
        case .environment: break
        case .none: set(CURLOPT_NOPROXY, "*")
        case .url(let url):
            set(CURLOPT_PROXY, url)
            set(CURLOPT_NOPROXY, "")  // the one that was asked for, whatever NO_PROXY says
        }
    }

    private func setCallbacks(_ sockets: CurlSockets) {
        let owner = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_on_bytes(handle, CURLOPT_HEADERFUNCTION, CurlCallbacks.header)
        ccurl_set_pointer(handle, CURLOPT_HEADERDATA, owner)
        ccurl_set_on_bytes(handle, CURLOPT_WRITEFUNCTION, CurlCallbacks.body)
        ccurl_set_pointer(handle, CURLOPT_WRITEDATA, owner)
        ccurl_set_on_ready(handle, CurlCallbacks.ready)
        ccurl_set_pointer(handle, CURLOPT_PREREQDATA, owner)
        ccurl_set_on_progress(handle, CurlCallbacks.progress)
        ccurl_set_pointer(handle, CURLOPT_XFERINFODATA, owner)
        let socketOwner = Unmanaged.passUnretained(sockets).toOpaque()
        ccurl_set_on_open_socket(handle, CurlSockets.onOpen)
        ccurl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, socketOwner)
        ccurl_set_on_close_socket(handle, CurlSockets.onClose)
        ccurl_set_pointer(handle, CURLOPT_CLOSESOCKETDATA, socketOwner)
    }

    private func set(_ option: CURLoption, _ value: Int) { ccurl_set_long(handle, option, value) }

    private func set(_ option: CURLoption, _ value: String) { ccurl_set_string(handle, option, value) }

    private func set(_ option: CURLoption, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { _ = ccurl_set_blob(handle, option, $0.baseAddress, $0.count) }
    }
}

extension Duration {
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
