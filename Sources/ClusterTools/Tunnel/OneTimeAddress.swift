import IO

/// An address on this machine that leads a browser to another one, once. A browser is started with an address as its argument,
/// which everybody on this machine can see; the one that TensorBoard answers at is a secret.
struct OneTimeAddress: Sendable {
    /// Where it leads.
    let target: String
    let loop: PollLoop

    /// How long the browser may take to come.
    private static let patience: Duration = .seconds(60)
    /// How long one connection may take to ask.
    private static let patienceForRequest: Duration = .seconds(2)

    /// Lends the address to `body`, and waits until it has been used, or for a minute.
    ///
    /// - Returns: whether it was used.
    func lend(_ body: @escaping @Sendable (_ address: String) async throws -> Void) async throws -> Bool {
        let path = "/" + randomName(length: 24)
        return try await withListener(preferredPort: nil, loop: loop) { listener in
            try await body("http://localhost:\(listener.port)\(path)")
            do {
                return try await withTimeout(Self.patience, or: Late()) {
                    // Browsers open connections beforehand, and ask for icons.
                    while true {
                        let connection = try await listener.accept()
                        let isUsed = await self.answer(connection, path)
                        await connection.close()
                        if isUsed { return true }
                    }
                }
            } catch is Late {
                return false
            }
        }
    }

    private struct Late: Error {}

    /// - Returns: whether the one request that counts was answered.
    private func answer(_ connection: Descriptor, _ path: String) async -> Bool {
        do {
            let request = try await withTimeout(Self.patienceForRequest, or: Late()) {
                var request: [UInt8] = []
                while !request.contains(UInt8(ascii: "\n")), request.count < 1 << 14 {
                    let bytes = try await connection.read(upTo: 1 << 12)
                    if bytes.isEmpty { break }
                    request += bytes
                }
                return String(decoding: request, as: UTF8.self)
            }
            let isRight = request.hasPrefix("GET \(path) ")
            let head = isRight ? "303 See Other\r\nLocation: \(target)" : "404 Not Found"
            let text =
                "HTTP/1.1 \(head)\r\nContent-Length: 0\r\nConnection: close\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\r\n"
            try await connection.write(Array(text.utf8))
            await connection.finishWriting()
            return isRight
        } catch {
            // Whoever that was asked nothing, or went away.
            return false
        }
    }
}
