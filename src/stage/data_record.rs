//! What a training leaves behind about its data: the profile beside the model, and, where there is none yet, the data
//! contract in the project.
//!
//! Neither decides anything about the training: what cannot be written is told in the log, and the model is kept.

use std::io::Write;
use std::path::Path;

use crate::config;
use crate::model::{self, DataSet, PROFILE_FILE, Profile};

/// Looks at the data and says what is odd about it, but for what training itself will say of columns it cannot read.
pub(super) fn profile(data: &DataSet, target: &str, log: &mut dyn Write) -> Profile {
    let profile = Profile::of(data, target);
    let known: Vec<String> = data.columns.iter().filter_map(|column| data.reading_note(column)).collect();
    for note in profile.notes.iter().filter(|note| !known.contains(note)) {
        say(log, &format!("data: {note}"));
    }
    profile
}

/// Writes the profile into the folder of the model.
pub(super) fn keep_profile(profile: &Profile, folder: &Path, log: &mut dyn Write) {
    if let Err(error) = profile.save(folder) {
        say(log, &format!("note: {PROFILE_FILE} cannot be written into {}: {error}", folder.display()));
    }
}

/// Writes the contract that the data keeps into the project, unless there is one. A stage that runs where the project's
/// configuration is not leaves it.
pub(super) fn keep_contract(data: &DataSet, project: &Path, log: &mut dyn Write) {
    let Ok(settings) = config::load(project) else { return };
    let path = project.join(&settings.data.contract);
    match model::write_new_contract(&path, &model::infer_contract(data)) {
        Ok(true) => say(
            log,
            &format!(
                "data contract: {} was inferred from this data; from now on a file that breaks it is held back; edit and commit it",
                path.display()
            ),
        ),
        Ok(false) => {}
        Err(error) => say(log, &format!("note: {error}")),
    }
}

/// A log that nobody reads any more is no reason to lose a training.
fn say(log: &mut dyn Write, line: &str) {
    let _ = writeln!(log, "{line}");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{keep_contract, keep_profile, profile};
    use crate::model::{PROFILE_FILE, Profile, read};

    #[test]
    fn a_profile_is_left_beside_the_model_and_what_is_odd_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        fs::write(&file, "x,same,y\n1,5,a\n2,5,b\n1,5,a\n").unwrap();
        let mut log = Vec::new();
        let profile = profile(&read(&[file]).unwrap(), "y", &mut log);
        keep_profile(&profile, folder.path(), &mut log);
        assert_eq!(Profile::load(folder.path()).unwrap(), profile);
        let log = String::from_utf8(log).unwrap();
        assert!(log.contains("data: 1 of 3 rows are equal to an earlier one in every cell"), "{log}");
        assert!(log.contains("data: column \"same\" has the same value in every row"), "{log}");
        fs::remove_file(folder.path().join(PROFILE_FILE)).unwrap();
        let mut told = Vec::new();
        keep_profile(&profile, &folder.path().join("not there"), &mut told);
        assert!(String::from_utf8(told).unwrap().contains("cannot be written"));
    }

    #[test]
    fn the_first_contract_is_written_and_an_edited_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        fs::write(&file, "x,y\n1,a\n2,b\n").unwrap();
        let data = read(&[file]).unwrap();
        let mut log = Vec::new();
        keep_contract(&data, folder.path(), &mut log);
        assert!(log.is_empty() && !folder.path().join("data.toml").exists());
        fs::write(folder.path().join("trainyard.toml"), "[stages.train]\nuses = \"train\"\ntarget = \"y\"\n").unwrap();
        keep_contract(&data, folder.path(), &mut log);
        assert!(String::from_utf8(log).unwrap().contains("data.toml was inferred from this data"));
        fs::write(folder.path().join("data.toml"), "# mine\n").unwrap();
        let mut log = Vec::new();
        keep_contract(&data, folder.path(), &mut log);
        assert!(log.is_empty());
        assert_eq!(fs::read_to_string(folder.path().join("data.toml")).unwrap(), "# mine\n");
    }
}
