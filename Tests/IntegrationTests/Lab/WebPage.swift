import Foundation
import IO

/// What an HTTP server answered.
struct WebPage: Sendable {
    let status: Int
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// - Throws: when this is no HTTP response.
    fileprivate init(_ bytes: [UInt8]) throws {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw LabError(
                code: .command, message: "no HTTP response: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
        let words = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count > 1, let status = Int(words[1]) else {
            throw LabError(code: .command, message: "no HTTP status: \(words)")
        }
        self.status = status
        body = Array(bytes[end.upperBound...])
    }
}

/// How a client treats its connection.
enum Manners: Sendable {
    case plain
    /// Ends its own direction right after the request, and waits for the answer.
    case halfClose
    /// Reads nothing for this long, then slowly.
    case slow(Duration)
}

/// Fetches a page as the simplest of all clients: one connection, which the server ends after the page.
func fetch(
    _ address: String, manners: Manners = .plain, within limit: Duration = .seconds(30)
) async throws -> WebPage {
    guard let url = URL(string: address), let host = url.host(), let port = url.port else {
        throw LabError(code: .command, message: "no address of a page: \(address)")
    }
    let loop = try PollLoop()
    defer { loop.stop() }
    let path = url.path(percentEncoded: true) + (url.query(percentEncoded: true).map { "?" + $0 } ?? "")
    let request = Array("GET \(path) HTTP/1.0\r\nHost: \(host):\(port)\r\n\r\n".utf8)
    return try await withTimeout(limit, or: LabError(code: .timeout, message: "no \(address) within \(limit)")) {
        try await withConnection(toHost: host, port: UInt16(port), timeout: .seconds(5), loop: loop) { connection in
            try await connection.write(request)
            if case .halfClose = manners { try await connection.finishWriting() }
            if case .slow(let pause) = manners { try await Task.sleep(for: pause) }
            var all: [UInt8] = []
            while case let bytes = try await connection.read(upTo: 1 << 16), !bytes.isEmpty { all += bytes }
            return try WebPage(all)
        }
    }
}
