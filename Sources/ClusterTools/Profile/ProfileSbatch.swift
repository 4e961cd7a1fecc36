public import Slurm

extension SbatchOptions {
    /// Reads the `sbatch.json` of a folder, which stands between the profile and the command line; nothing when there is none.
    public static func load(folder: String) throws(Failure) -> SbatchOptions? {
        let path = LocalPath.join(folder, "sbatch.json")
        guard LocalFile.isFile(path) else { return nil }
        let text = try LocalFile.contents(of: path, subject: "the options in")
        return try JSONField(parsing: text, document: path).sbatchOptions()
    }

    /// What a person should hear about the options before the job is submitted, a line each.
    public var notices: [String] {
        ignored.map { "\($0.option) is not used: \($0.reason)" }
            + unknown.map { option in
                let nearest = Suggestion.nearest(to: option, among: SbatchOption.spellings)
                return "\(option) is passed on, but sbatch's manual does not have it"
                    + (nearest.map { "; did you mean \($0)?" } ?? "")
            }
    }
}
