import IO
import Synchronization

/// A queue between tasks: anyone posts, one task at a time takes.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let posted = Condition()

    public init() {}

    public func post(_ message: Message) {
        messages.withLock { $0.append(message) }
        posted.signal()
    }

    /// The next message; one that is posted later if there is none. A cancelled taker loses no message.
    public func take() async throws -> Message {
        while true {
            let generation = posted.generation
            if let message = messages.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return message }
            try await posted.wait(after: generation)
        }
    }
}
