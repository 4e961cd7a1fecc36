extension Job {
    /// The profile that leads to the job now: its file's, or the one that was recorded with the job.
    struct CurrentProfile: Sendable {
        var profile: Profile
        /// Why it is not the file's.
        var notice: String?
    }

    /// Finds the profile that leads to the job: that of its file, as it is now, which the user may have corrected. When the
    /// file is gone, cannot be read, or leads elsewhere by now, what was recorded with the job counts.
    ///
    /// - Parameter home: what a leading `~` in a path on this machine stands for.
    func currentProfile(home: String) throws(Failure) -> CurrentProfile {
        guard let path = profilePath else { return CurrentProfile(profile: .thisMachine) }
        var recorded: Profile?
        if let profile {
            recorded = try Profile(json: Array(profile.description.utf8), path: path, home: home)
        }
        let current: Profile
        do {
            current = try Profile.load(path, home: home)
        } catch {
            guard let recorded else { throw error }
            return CurrentProfile(
                profile: recorded, notice: "\(error.description); using the profile that was recorded with job \(title)"
            )
        }
        guard let recorded, recorded.hostname != current.hostname || recorded.scheduler != current.scheduler else {
            return CurrentProfile(profile: current)
        }
        let place = { (profile: Profile) in profile.hostname ?? "this machine" }
        return CurrentProfile(
            profile: recorded,
            notice:
                "\(path) leads to \(place(current)) now, and job \(title) is on \(place(recorded)): using the profile "
                + "that was recorded with it")
    }
}
