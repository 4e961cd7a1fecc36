import Synchronization

/// A value that changes and that tasks wait for.
final class Beacon<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var version = 0
        var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextSleeper = 0
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    var value: Value { state.withLock { $0.value } }

    func set(_ value: Value) {
        let sleepers = state.withLock { state in
            state.value = value
            state.version += 1
            defer { state.sleepers = [:] }
            return state.sleepers.values
        }
        for sleeper in sleepers { sleeper.resume() }
    }

    /// The first value, from now on, that `transform` gives something for. Can be cancelled.
    func first<Result>(_ transform: (Value) -> Result?) async throws -> Result {
        while true {
            let (value, version) = state.withLock { ($0.value, $0.version) }
            if let result = transform(value) { return result }
            try await change(after: version)
        }
    }

    private func change(after version: Int) async throws {
        let number = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.version == version, !Task.isCancelled else { return false }
                    state.sleepers[number] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.resume()
        }
        try Task.checkCancellation()
    }
}
