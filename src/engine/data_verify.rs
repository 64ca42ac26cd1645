//! Whether a data file is fit to be registered: a table with whole rows that keeps the data contract, and whose name may be told.
//!
//! By its name a registered file is found again, so the journal and every answer hold it as it is. One that holds a secret is
//! held back.
//!
//! The contract is read again for every file, so that the file that is judged and the contract that it is judged by are
//! of the same moment. One that became unreadable while it is edited changes nothing: the former one stays in force, and
//! the board says why.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::status::Status;
use crate::model::{self, DataContract};
use crate::watch::is_lfs_pointer;

/// The subject under which the board tells of a contract that cannot be used.
const SUBJECT: &str = "data contract";

/// Judges data files.
pub(super) struct DataVerifier {
    status: Status,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The last contract that could be read, and where; inside, `None` when there was none.
    contract: Option<(PathBuf, Option<Arc<DataContract>>)>,
    is_problem: bool,
}

impl DataVerifier {
    pub(super) fn new(status: Status) -> Self {
        Self { status, kept: Mutex::default() }
    }

    /// The rows of a file of the folder `root`, or why it is held back.
    pub(super) fn judge(&self, root: &Path, contract: &Path, file: &Path) -> Result<u64, String> {
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
        if self.status.redactor().finds(name.as_bytes()) {
            return Err("its name holds a secret, and names are written down and shown; rename it".to_owned());
        }
        self.verify(contract, file)
    }

    /// What is in files that are no tables is their stage's affair.
    fn verify(&self, contract: &Path, file: &Path) -> Result<u64, String> {
        if is_lfs_pointer(file) {
            return Err("it is a pointer of Git LFS in place of the data; run `git lfs pull` where it lies".to_owned());
        }
        if !is_table(file) {
            return Ok(0);
        }
        let Some(rules) = self.contract(contract)? else {
            return model::check_header(file).and_then(|()| model::count_rows(file)).map_err(|error| error.to_string());
        };
        let checked = model::check_contract(file, &rules).map_err(|error| error.to_string())?;
        match checked.in_one_line() {
            None => Ok(checked.rows),
            Some(broken) => {
                let name = contract.file_name().unwrap_or_default().to_string_lossy();
                Err(format!(
                    "it breaks the data contract {name}: {broken}; mend the file, or the contract if the file is right"
                ))
            }
        }
    }

    /// The contract that is in force.
    fn contract(&self, path: &Path) -> Result<Option<Arc<DataContract>>, String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match model::load_contract(path) {
            Ok(contract) => {
                if std::mem::take(&mut kept.is_problem) {
                    self.status.problem(SUBJECT, None);
                }
                let contract = contract.map(Arc::new);
                kept.contract = Some((path.to_owned(), contract.clone()));
                Ok(contract)
            }
            Err(error) => {
                let first = error.to_string().lines().next().unwrap_or_default().to_owned();
                let former = kept.contract.as_ref().filter(|(of, _)| of == path).map(|(_, contract)| contract.clone());
                let follows = if former.is_some() { "the former one stays in force" } else { "no data is registered" };
                let text = format!("{first}; until it is mended {follows}");
                self.status.problem(SUBJECT, Some(text.clone()));
                kept.is_problem = true;
                former.ok_or(text)
            }
        }
    }
}

fn is_table(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    [".csv", ".tsv", ".csv.gz", ".tsv.gz"].iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::super::door::Door;
    use super::{DataVerifier, Status};

    #[test]
    fn a_file_whose_name_holds_a_secret_is_held_back_wherever_its_folder_lies() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("hunter-in-the-rye");
        fs::create_dir_all(root.join("of hunter-in-the-rye")).unwrap();
        let text = "[stages.test]\ncommand = [\"true\"]\nenvironment = { DB_PASSWORD = \"hunter-in-the-rye\" }\n";
        let settings = Arc::new(crate::config::parse(text, "trainyard.toml").unwrap());
        let verifier = DataVerifier::new(Status::default().behind(Door::of(settings, folder.path())));
        let judged = |name: &str| {
            fs::write(root.join(name), "x\n1\n").unwrap();
            verifier.judge(&root, &root.join("data.toml"), &root.join(name))
        };
        assert_eq!(judged("a.csv"), Ok(1));
        for name in ["hunter-in-the-rye.csv", "of hunter-in-the-rye/a.csv"] {
            assert!(judged(name).unwrap_err().starts_with("its name holds a secret"), "{name}");
        }
    }

    #[test]
    fn a_file_is_held_back_by_the_contract_and_passes_once_that_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let (contract, file) = (folder.path().join("data.toml"), folder.path().join("a.csv"));
        fs::write(&file, "x,y\n1,a\nmany,b\n").unwrap();
        let verifier = DataVerifier::new(Status::default());
        assert_eq!(verifier.verify(&contract, &file), Ok(2));
        fs::write(&contract, "[columns.x]\ntype = \"number\"\n[columns.y]\ntype = \"category\"\n").unwrap();
        assert_eq!(
            verifier.verify(&contract, &file).unwrap_err(),
            "it breaks the data contract data.toml: line 3, column \"x\": \"many\" is no finite number; mend the file, or the contract if the file is right"
        );
        fs::write(&contract, "[columns.x]\ntype = \"text\"\n[columns.y]\ntype = \"category\"\n").unwrap();
        assert_eq!(verifier.verify(&contract, &file), Ok(2));
    }

    #[test]
    fn while_a_contract_cannot_be_read_the_former_one_stays_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let (contract, file) = (folder.path().join("data.toml"), folder.path().join("a.csv"));
        fs::write(&file, "x\n1\n").unwrap();
        fs::write(&contract, "[columns.x]\ntype = \"numbr\"\n").unwrap();
        let verifier = DataVerifier::new(Status::default());
        let told = verifier.verify(&contract, &file).unwrap_err();
        assert!(told.starts_with("data.toml:2:8: ") && told.ends_with("no data is registered"), "{told}");
        fs::write(&contract, "[columns.x]\ntype = \"number\"\n").unwrap();
        assert_eq!(verifier.verify(&contract, &file), Ok(1));
        fs::write(&contract, "[columns.x\n").unwrap();
        assert_eq!(verifier.verify(&contract, &file), Ok(1));
        fs::write(&file, "x\none\n").unwrap();
        assert!(verifier.verify(&contract, &file).unwrap_err().contains("\"one\" is no finite number"));
    }

    #[test]
    fn a_pointer_of_git_lfs_is_no_data_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.csv", "a.bin"] {
            let file = folder.path().join(name);
            fs::write(&file, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n").unwrap();
            let told =
                DataVerifier::new(Status::default()).verify(&folder.path().join("data.toml"), &file).unwrap_err();
            assert!(told.contains("pointer of Git LFS") && told.contains("git lfs pull"), "{told}");
        }
    }

    #[test]
    fn what_is_no_table_is_not_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.bin");
        fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(DataVerifier::new(Status::default()).verify(&folder.path().join("data.toml"), &file), Ok(0));
    }
}
