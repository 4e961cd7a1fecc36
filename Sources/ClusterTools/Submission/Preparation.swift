import IO

/// What makes a submission ready, while the machine that it is for is being connected to: the snapshot may take as long as the
/// login, and needs nothing of it.
struct Preparation: Sendable {
    /// Makes it, on the calling thread. It ends soon when its argument says that nobody wants the result any more.
    let make: @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Submission

    init(_ make: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Submission) {
        self.make = make
    }

    /// Makes it on a thread of its own. When cancelled, it returns as soon as nothing of it runs any more.
    func submission() async throws -> Submission {
        let abort = Submission.Abort()
        let outcome: Result<Submission, any Error> = await withTaskCancellationHandler {
            await shielded { [make] in
                do {
                    return .success(try await onThread { try make { abort.isAsked } })
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            abort.ask()
        }
        try Task.checkCancellation()
        return try outcome.get()
    }
}
