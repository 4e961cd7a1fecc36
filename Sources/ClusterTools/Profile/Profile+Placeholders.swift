public import Slurm

extension Profile {
    /// Throws when something that the shipped profiles leave for the user to fill in (`YOUR_NAME`) would be used as it is.
    ///
    /// - Parameter options: all layers of options put together, since one above the profile may have filled it in.
    public func checkFilledIn(options: SbatchOptions) throws(Failure) {
        var texts = [("user", user ?? "")]
        for setting in options.settings {
            if case .text(let text) = setting.value { texts.append(("sbatch_options.\(setting.option)", text)) }
        }
        for (place, text) in texts where text.contains("YOUR_") {
            throw Failure(
                Exit.configuration, "\(path ?? name): \(place): still says \"\(text)\"", remedy: "put your own there")
        }
    }
}
