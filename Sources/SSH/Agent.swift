internal import IO

/// A running ssh-agent, which holds private keys and signs with them (draft-ietf-sshm-ssh-agent).
struct Agent: Sendable {
    struct Identity: Sendable, Equatable {
        var key: HostKey
        var comment: String
    }

    /// The path of its socket.
    let socket: String
    let loop: PollLoop

    /// The kinds of messages.
    enum Message {
        static let failure: UInt8 = 5
        static let requestIdentities: UInt8 = 11
        static let identitiesAnswer: UInt8 = 12
        static let signRequest: UInt8 = 13
        static let signResponse: UInt8 = 14
    }

    /// The keys that it holds.
    func identities() async throws -> [Identity] {
        let late = SSHError(.agentFailed, "the ssh-agent at \(socket) does not answer")
        let answer = try await withTimeout(.seconds(10), or: late) {
            try await ask([Message.requestIdentities], expecting: Message.identitiesAnswer)
        }
        var reader = PacketReader(answer)
        let count = try reader.uint32()
        var identities: [Identity] = []
        for _ in 0..<count {
            let blob = try reader.string()
            let comment = try reader.text()
            if let key = HostKey(blob: blob) { identities.append(Identity(key: key, comment: comment)) }
        }
        return identities
    }

    /// Has it sign, as somebody asks it to. Takes as long as the agent asks its user.
    ///
    /// - Returns: its answer to the request.
    func sign(_ request: [UInt8]) async throws -> [UInt8] {
        [Message.signResponse] + (try await ask(request, expecting: Message.signResponse))
    }

    private func ask(_ request: [UInt8], expecting type: UInt8) async throws -> [UInt8] {
        do {
            return try await withConnection(toSocketAt: socket, loop: loop) { stream in
                try await stream.writeMessage(request)
                guard let answer = try await stream.readMessage() else {
                    throw SSHError(.agentFailed, "the ssh-agent at \(socket) hung up")
                }
                guard answer.first == type else {
                    throw SSHError(.agentFailed, "the ssh-agent refused")
                }
                return Array(answer.dropFirst())
            }
        } catch let error as IOError {
            throw SSHError(.agentFailed, "the ssh-agent cannot be used: \(error.message)", cause: error)
        }
    }
}

extension ByteStream {
    /// A message of the agent's protocol, without its length; nil at the end.
    func readMessage() async throws -> [UInt8]? {
        guard let header = try await read(exactly: 4) else { return nil }
        var reader = PacketReader(header)
        let count = try reader.uint32()
        guard (1...(1 << 20)).contains(count) else {
            throw SSHError(.agentFailed, "whoever is there does not speak the agent's protocol")
        }
        return try await read(exactly: Int(count))
    }

    func writeMessage(_ message: [UInt8]) async throws {
        var writer = PacketWriter()
        writer.string(message)
        try await write(writer.bytes)
    }

    private func read(exactly count: Int) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try await read(upTo: count - bytes.count)
            guard !more.isEmpty else { return nil }
            bytes += more
        }
        return bytes
    }
}
