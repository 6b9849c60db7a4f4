internal import CCurl

/// What libcurl's result codes mean to the caller: pure.
enum CurlFailure {
    /// - Parameters:
    ///   - detail: libcurl's own text, may be empty.
    ///   - wasConnected: whether the request was about to be sent, so that the server may have seen it.
    static func error(
        _ code: CURLcode, detail: String, authority: String, wasConnected: Bool
    ) -> HTTPTransportError {
        let reason = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return .connect("cannot find the host of \(authority): check the name and DNS (\(reason))")
        case CURLE_COULDNT_RESOLVE_PROXY:
            return .connect("cannot find the proxy on the way to \(authority): check the proxy settings (\(reason))")
        case CURLE_COULDNT_CONNECT:
            return .connect("cannot connect to \(authority): check that it runs and can be reached (\(reason))")
        case CURLE_OPERATION_TIMEDOUT:
            return .timeout(.connect)
        case CURLE_URL_MALFORMAT:
            return .invalidURL("libcurl does not accept the URL of \(authority): \(reason)")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_UNSUPPORTED_PROTOCOL:
            return .malformedResponse("\(authority) answered with something that is not acceptable HTTP: \(reason)")
        default:
            if isTLS(code) || isAlert(reason) { return .tls(tlsAdvice(code, authority: authority, reason: reason)) }
            return wasConnected
                ? .connectionLost("the connection to \(authority) broke: \(reason)")
                : .connect("no connection to \(authority): \(reason)")
        }
    }

    private static func isTLS(_ code: CURLcode) -> Bool {
        [
            CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CLIENTCERT, CURLE_SSL_ENGINE_INITFAILED,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED,
        ].contains(code)
    }

    /// TLS 1.3 refuses a client certificate only after the handshake, so it comes as a failed read.
    private static func isAlert(_ reason: String) -> Bool {
        reason.contains("SSL routines") && reason.contains("alert")
    }

    private static func tlsAdvice(_ code: CURLcode, authority: String, reason: String) -> String {
        switch code {
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
            "the certificate of \(authority) is not trusted: check the certificate authority and the server name "
                + "(\(reason))"
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CLIENTCERT:
            "the client certificate for \(authority) cannot be used: check that certificate and key are PEM and "
                + "belong together (\(reason))"
        default:
            "the TLS handshake with \(authority) failed (\(reason))"
        }
    }
}
