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

    private enum Message {
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

    /// A signature by one of its keys, without the algorithm's name. Takes as long as the agent asks its user.
    func sign(_ data: [UInt8], with key: HostKey, algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        var request = PacketWriter()
        request.byte(Message.signRequest)
        request.string(key.blob)
        request.string(data)
        request.uint32(algorithm.agentFlags)
        var answer = PacketReader(try await ask(request.bytes, expecting: Message.signResponse))
        var signature = PacketReader(try answer.string())
        let name = try signature.text()
        guard name == algorithm.rawValue else {
            throw SSHError(.agentFailed, "the ssh-agent signed with \(name) instead of \(algorithm.rawValue)")
        }
        return try signature.string()
    }

    private func ask(_ request: [UInt8], expecting type: UInt8) async throws -> [UInt8] {
        do {
            return try await withConnection(toSocketAt: socket, loop: loop) { stream in
                var message = PacketWriter()
                message.string(request)
                try await stream.write(message.bytes)
                var length = PacketReader(try await read(4, from: stream))
                let count = try length.uint32()
                guard (1...(1 << 20)).contains(count) else {
                    throw SSHError(.agentFailed, "the ssh-agent at \(socket) does not speak the agent protocol")
                }
                let answer = try await read(Int(count), from: stream)
                guard answer.first == type else {
                    throw SSHError(.agentFailed, "the ssh-agent refused")
                }
                return Array(answer.dropFirst())
            }
        } catch let error as IOError {
            throw SSHError(.agentFailed, "the ssh-agent cannot be used: \(error.message)", cause: error)
        }
    }

    private func read(_ count: Int, from stream: any ByteStream) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try await stream.read(upTo: count - bytes.count)
            guard !more.isEmpty else { throw SSHError(.agentFailed, "the ssh-agent at \(socket) hung up") }
            bytes += more
        }
        return bytes
    }
}
