/// What a job can serve to a browser.
public enum WebService: String, Sendable, CaseIterable {
    case tensorboard
    case notebook

    /// What people call it.
    var name: String {
        switch self {
        case .tensorboard: "TensorBoard"
        case .notebook: "JupyterLab"
        }
    }

    /// Where a browser begins, without a slash before it.
    func path(secret: String) -> String {
        switch self {
        // Everything else is not found there.
        case .tensorboard: "\(secret)/"
        // Leads on at once, to an address without the token.
        case .notebook: "lab?token=\(secret)"
        }
    }
}

extension Job {
    /// What it serves to a browser.
    var service: WebService? { isNotebook ? .notebook : hasTensorBoard ? .tensorboard : nil }
}
