import IO

/// Leads the user's browser through a tunnel, once there is something to see.
struct BrowserVisit: Sendable {
    let environment: [String: String]
    let console: Console
    let loop: PollLoop

    /// - Returns: why there is nothing to see; nil when the browser was led there, or the user knows the address.
    func run(through tunnel: Tunnel) async throws -> String? {
        let address: String
        switch try await tunnel.outcome.first({ $0 }) {
        case .address(let found): address = found
        case .refused(let reason): return reason
        }
        if console.detail == .quiet { print(address) }
        guard let browser = Browser(environment: environment) else {
            console.report(.note("no browser was found: open the address yourself, or set BROWSER"))
            return nil
        }
        let isUsed = try await OneTimeAddress(target: address, loop: loop).lend { [loop] in
            try await browser.open($0, loop: loop)
        }
        if !isUsed { console.report(.warning("the browser did not come: open the address yourself")) }
        return nil
    }
}

extension Verb.Call {
    var browserVisit: BrowserVisit {
        BrowserVisit(environment: surroundings.environment, console: console, loop: surroundings.loop)
    }
}
