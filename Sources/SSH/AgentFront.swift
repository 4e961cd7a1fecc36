internal import IO
internal import Synchronization

/// Stands between libssh and the user's ssh-agent: libssh tries every key that an agent has, and is shown only the one that is to be
/// tried. It waits for each answer; the end of the stream brings it back.
final class AgentFront: Sendable {
    private struct State {
        var hasSigned = false
        var failure: (any Error)?
    }

    private let agent: Agent
    private let identity: Agent.Identity
    private let state = Mutex(State())

    init(agent: Agent, identity: Agent.Identity) {
        self.agent = agent
        self.identity = identity
    }

    /// Whether the agent has signed.
    var hasSigned: Bool { state.withLock { $0.hasSigned } }

    /// Why it has not.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// Answers until libssh hangs up, or the task is cancelled.
    func serve(on stream: Descriptor) async {
        do {
            while let request = try await stream.readMessage() {
                try await stream.writeMessage(try await answer(request))
            }
        } catch {
            state.withLock { if $0.failure == nil { $0.failure = error } }
        }
        await stream.close()
    }

    private func answer(_ request: [UInt8]) async throws -> [UInt8] {
        switch request.first {
        case Agent.Message.requestIdentities:
            var writer = PacketWriter()
            writer.byte(Agent.Message.identitiesAnswer)
            writer.uint32(1)
            writer.string(identity.key.blob)
            writer.string(identity.comment)
            return writer.bytes
        case Agent.Message.signRequest:
            let answer = try await agent.sign(request)
            state.withLock { $0.hasSigned = true }
            return answer
        default: return [Agent.Message.failure]
        }
    }
}
