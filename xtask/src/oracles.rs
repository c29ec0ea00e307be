//! What the tests and benchmarks compare with: R's survey package, implementations in Python and for Node, a real browser,
//! Java programs.
//!
//! On a Debian machine where this runs as root, missing packages are installed; elsewhere the command to run is printed
//! and nothing is started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{FAILED, Failure, answer, prepare, repository, succeeds, target_folder};

/// Tells the tests which Python to use; when set beforehand, it is used as it is and no environment is made.
const PYTHON_VARIABLE: &str = "KHAOSAT_PYTHON";
/// ODK Web Forms' engine.
const WEB_FORMS: NodePackages = NodePackages {
    variable: "KHAOSAT_WEB_FORMS",
    manifests: "survey-forms/tests/oracles/web-forms",
};
/// ODK Web Forms as a page.
const WEB_FORMS_PAGE: NodePackages = NodePackages {
    variable: "KHAOSAT_WEB_FORMS_PAGE",
    manifests: "web/phone/tests/oracles/web-forms-page",
};
/// Automerge for JavaScript, and Automerge-repo, which exchanges its documents.
const AUTOMERGE: NodePackages = NodePackages {
    variable: "KHAOSAT_AUTOMERGE",
    manifests: "tests/oracles/automerge",
};
/// PouchDB, and a server that it replicates with.
const POUCHDB: NodePackages = NodePackages {
    variable: "KHAOSAT_POUCHDB",
    manifests: "tests/oracles/pouchdb",
};
/// Tells the tests which Chromium to use; when set beforehand, it is used as it is.
const CHROMIUM_VARIABLE: &str = "KHAOSAT_CHROMIUM";
/// Where Debian puts Chromium.
const CHROMIUM: &str = "/usr/bin/chromium";
/// One of the fonts that show Vietnamese alike on every machine, from `fonts-noto-core`.
const FONT: &str = "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf";

/// Something outside the repository that tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oracle {
    /// R with the packages survey and jsonlite.
    RSurvey,
    /// A virtual environment with the packages that the crates' `tests/oracles/requirements.txt` name.
    Python,
    /// ODK Web Forms' engine, for Node.
    WebForms,
    /// ODK Web Forms as a page, for a browser.
    WebFormsPage,
    /// Automerge and Automerge-repo, for Node.
    Automerge,
    /// PouchDB and its server, for Node.
    PouchDb,
    /// A Chromium and the fonts it shows Vietnamese with.
    Browser,
    /// A Java runtime, 17 or later.
    Java,
}

impl Oracle {
    /// The Debian packages that would bring what is missing; empty when all is there.
    fn missing_packages(self) -> Vec<&'static str> {
        match self {
            Self::RSurvey if !succeeds("Rscript", &["-e", "library(survey); library(jsonlite)"]) => {
                vec!["r-base-core", "r-cran-survey", "r-cran-jsonlite"]
            }
            Self::Java if !succeeds("java", &["-version"]) => vec!["default-jre-headless"],
            Self::Browser => {
                let mut packages = Vec::new();
                if std::env::var_os(CHROMIUM_VARIABLE).is_none() && !Path::new(CHROMIUM).exists() {
                    packages.push("chromium");
                }
                if !Path::new(FONT).exists() {
                    packages.push("fonts-noto-core");
                }
                packages
            }
            Self::RSurvey
            | Self::Java
            | Self::Python
            | Self::WebForms
            | Self::WebFormsPage
            | Self::Automerge
            | Self::PouchDb => Vec::new(),
        }
    }
}

/// The variables that tell the tests where the oracles are.
pub(crate) type Environment = Vec<(&'static str, PathBuf)>;

/// Sets up these oracles and returns the variables to run the tests with.
///
/// # Errors
/// When Debian packages are missing and may not be installed here, or an installation fails.
pub(crate) fn set_up(oracles: &[Oracle]) -> Result<Environment, Failure> {
    let packages: Vec<&str> = oracles.iter().flat_map(|oracle| oracle.missing_packages()).collect();
    install_packages(&packages)?;
    let mut environment = Environment::new();
    if oracles.contains(&Oracle::Browser) {
        let chromium = std::env::var_os(CHROMIUM_VARIABLE).map_or_else(|| CHROMIUM.into(), PathBuf::from);
        environment.push((CHROMIUM_VARIABLE, chromium));
    }
    if oracles.contains(&Oracle::Python) {
        let python = match std::env::var_os(PYTHON_VARIABLE) {
            Some(python) => python.into(),
            None => python_environment()?,
        };
        environment.push((PYTHON_VARIABLE, python));
    }
    for (oracle, packages) in [
        (Oracle::WebForms, WEB_FORMS),
        (Oracle::WebFormsPage, WEB_FORMS_PAGE),
        (Oracle::Automerge, AUTOMERGE),
        (Oracle::PouchDb, POUCHDB),
    ] {
        if oracles.contains(&oracle) {
            environment.push((packages.variable, packages.folder()?));
        }
    }
    Ok(environment)
}

fn install_packages(packages: &[&str]) -> Result<(), Failure> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let is_root = answer("id", &["-u"]).is_some_and(|user| user == "0");
    if !(is_root && succeeds("apt-get", &["--version"])) {
        return Err(Failure::new(
            FAILED,
            format!(
                "các bài kiểm thử cần thêm phần mềm; hãy chạy lệnh sau rồi thử lại\n\
                 the tests need more software; run this, then try again\n\n    \
                 sudo apt-get install --no-install-recommends {list}\n"
            ),
        ));
    }
    prepare(&mut apt_get(&["update"]))?;
    let mut install = apt_get(&["install", "--yes", "--no-install-recommends"]);
    prepare(install.args(packages))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Makes the virtual environment, or leaves it as it is when it holds the very requirements of today.
fn python_environment() -> Result<PathBuf, Failure> {
    let folder = target_folder().join("oracles").join("python");
    let python = folder.join("bin").join("python");
    let stamp = folder.join("installed-requirements.txt");
    let requirements = requirements()?;
    let wanted: String = requirements.iter().map(|(_, text)| text.as_str()).collect();
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    prepare(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    if !requirements.is_empty() {
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"]);
        for (path, _) in &requirements {
            install.arg("--requirement").arg(path);
        }
        prepare(&mut install)?;
    }
    fs::write(&stamp, wanted).map_err(|error| Failure::at(&stamp, &error))?;
    Ok(python)
}

/// Packages for Node that a lock file of the repository names.
struct NodePackages {
    /// Tells the tests in which folder they are installed; when set beforehand, nothing is installed.
    variable: &'static str,
    /// The folder of `package.json` and `package-lock.json`, below the repository.
    manifests: &'static str,
}

impl NodePackages {
    /// Where the packages are: where the variable says, or else below the target folder.
    fn folder(&self) -> Result<PathBuf, Failure> {
        std::env::var_os(self.variable).map_or_else(|| self.install(), |folder| Ok(folder.into()))
    }

    /// Installs what the lock file names, unless that is what is installed. The packages run no scripts of their own.
    fn install(&self) -> Result<PathBuf, Failure> {
        let manifests = repository().join(self.manifests);
        let name = manifests.file_name().unwrap_or_default();
        let folder = target_folder().join("oracles").join(name);
        let stamp = folder.join("installed-package-lock.json");
        let read = |name: &str| {
            let path = manifests.join(name);
            fs::read(&path).map_err(|error| Failure::at(&path, &error))
        };
        let lock = read("package-lock.json")?;
        if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
            return Ok(folder);
        }
        let write = |path: &Path, text: &[u8]| fs::write(path, text).map_err(|error| Failure::at(path, &error));
        fs::create_dir_all(&folder).map_err(|error| Failure::at(&folder, &error))?;
        write(&folder.join("package.json"), &read("package.json")?)?;
        write(&folder.join("package-lock.json"), &lock)?;
        prepare(
            Command::new("npm")
                .args(["ci", "--ignore-scripts"])
                .current_dir(&folder),
        )?;
        write(&stamp, &lock)?;
        Ok(folder)
    }
}

/// The path and the text of each `tests/oracles/requirements.txt`, of a crate or of the crate `tests`, which is itself that
/// folder of the repository; in the order of their paths.
fn requirements() -> Result<Vec<(PathBuf, String)>, Failure> {
    let top = repository();
    let mut folders = vec![top.to_owned()];
    for entry in fs::read_dir(top).map_err(|error| Failure::at(top, &error))? {
        folders.push(entry.map_err(|error| Failure::at(top, &error))?.path());
    }
    let mut found = Vec::new();
    for folder in folders {
        let path = folder.join("tests").join("oracles").join("requirements.txt");
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(|error| Failure::at(&path, &error))?;
            found.push((path, text));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_the_crate_tests_are_installed_like_those_of_other_crates() {
        let paths: Vec<PathBuf> = requirements().unwrap().into_iter().map(|(path, _)| path).collect();
        for crate_tests in ["tests", "survey-forms/tests"] {
            let path = repository().join(crate_tests).join("oracles/requirements.txt");
            assert!(paths.contains(&path), "{paths:?}");
        }
    }
}
