import Foundation
import Testing

@testable import TodoOperator

@Suite struct CertificateBundleTests {
    /// Of two authorities.
    static let one = """
        -----BEGIN CERTIFICATE-----
        MIIBkTCCATegAwIBAgIUa6kbD4LOaq06MWU0M9ugCFlZPsEwCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSdGVzdCBhdXRob3JpdHkgb25lMCAXDTI2MTEyMjA2MDExOFoY
        DzIxMjYxMDI5MDYwMTE4WjAdMRswGQYDVQQDDBJ0ZXN0IGF1dGhvcml0eSBvbmUw
        WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS7OwvH4xHlL9+VP03PXb2SbSJo8DM+
        d3tIkY2+JaH3PgXuiZcWYZLnYNtZHlmYQ7pBJ9xuFrHWEfyCOKUnGSm+o1MwUTAd
        BgNVHQ4EFgQUkJs/hP4bEJc+2gaIgHzEOKPUjwAwHwYDVR0jBBgwFoAUkJs/hP4b
        EJc+2gaIgHzEOKPUjwAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
        AiBbAl3pJqEhBBmtMAXQgWY4EO624eS2lW9g4Ku2upFJtgIhAK1D1OQA0XcXH2vW
        Lb4hNNxIxGNvRScsOsWwUgnAHIfj
        -----END CERTIFICATE-----

        """
    static let two = """
        -----BEGIN CERTIFICATE-----
        MIIBkjCCATegAwIBAgIUfO03IiRrMXFM2Jh/Y5IGEEVjbSAwCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSdGVzdCBhdXRob3JpdHkgdHdvMCAXDTI2MTEyMjA2MDExOFoY
        DzIxMjYxMDI5MDYwMTE4WjAdMRswGQYDVQQDDBJ0ZXN0IGF1dGhvcml0eSB0d28w
        WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT0VejAUwurSAXsgRAhZqmrKf2Q7L6U
        S+B2HTJqZbhNeknqR23fLSPsHQIIfqq8skHAET4mvaQh5QL71eKEUCIko1MwUTAd
        BgNVHQ4EFgQUGCVpQmEueiVIeNZTSed1TkCjau0wHwYDVR0jBBgwFoAUGCVpQmEu
        eiVIeNZTSed1TkCjau0wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBG
        AiEAnwannTcWRN7yqNE21Pd0jhlYC7K4dmF6hQUQoiY0aWECIQDXujJ89D7ROGVw
        YIVDkBZX+AJeZN4ewa/lFwe2APjCzQ==
        -----END CERTIFICATE-----

        """

    /// By `openssl x509 -trustout -addtrust serverAuth`.
    static let trusted = """
        -----BEGIN TRUSTED CERTIFICATE-----
        MIIBkTCCATegAwIBAgIUa6kbD4LOaq06MWU0M9ugCFlZPsEwCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSdGVzdCBhdXRob3JpdHkgb25lMCAXDTI2MTEyMjA2MDExOFoY
        DzIxMjYxMDI5MDYwMTE4WjAdMRswGQYDVQQDDBJ0ZXN0IGF1dGhvcml0eSBvbmUw
        WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS7OwvH4xHlL9+VP03PXb2SbSJo8DM+
        d3tIkY2+JaH3PgXuiZcWYZLnYNtZHlmYQ7pBJ9xuFrHWEfyCOKUnGSm+o1MwUTAd
        BgNVHQ4EFgQUkJs/hP4bEJc+2gaIgHzEOKPUjwAwHwYDVR0jBBgwFoAUkJs/hP4b
        EJc+2gaIgHzEOKPUjwAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
        AiBbAl3pJqEhBBmtMAXQgWY4EO624eS2lW9g4Ku2upFJtgIhAK1D1OQA0XcXH2vW
        Lb4hNNxIxGNvRScsOsWwUgnAHIfjMAwwCgYIKwYBBQUHAwE=
        -----END TRUSTED CERTIFICATE-----

        """

    private static func problem(_ text: String) -> String? { CertificateBundle.problem(in: Array(text.utf8)) }

    @Test(arguments: [
        one, one + two, "# Ours\nsubject=CN = test\n" + one + "\n" + two, one.replacing("\n", with: "\r\n"),
        // As some tools write it: in lines of another length.
        one.replacing("\nMI", with: "\nM\nI"),
        // OpenSSL's own, and libcurl takes them.
        one.replacing("CERTIFICATE", with: "X509 CERTIFICATE"), trusted + two,
    ])
    func certificatesAreTaken(text: String) {
        #expect(Self.problem(text) == nil)
    }

    @Test(
        arguments: [
            ("", "holds no certificate"), ("pem", "holds no certificate"),
            (one.replacing("CERTIFICATE", with: "PRIVATE KEY"), "holds no certificate"),
            (String(one.dropFirst()), "holds no certificate"),
            (String(one.dropLast(10)), "damaged, number 1 of 1"),
            (one + two.replacing("\nMII", with: "\nMI"), "damaged, number 2 of 2"),
            (one.replacing("\nM", with: "\n!"), "damaged, number 1 of 1"),
            // A sequence in DER, and no certificate.
            ("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n", "damaged, number 1 of 1"),
        ] as [(String, String)])
    func whatCannotBeUsedIsNamed(text: String, words: String) {
        #expect(Self.problem(text)?.contains(words) == true)
    }

    @Test func bytesAreNoText() {
        #expect(CertificateBundle.problem(in: [0x30, 0x82, 0xff]) == "is not text")
    }
}
