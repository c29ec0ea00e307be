//! The web interfaces: installing their packages and building them when, and only when, something changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::module;
use crate::process::{Failure, prepare, repository};
use crate::tools::{Tool, require};

/// What `npm run build` writes last for each interface, below `web`.
const OUTPUTS: [&str; 2] = ["console/dist/index.html.br", "phone/dist/service-worker.js.br"];
/// Where the phone's core goes, below `web`.
const CORE: &str = "phone/generated/phone_core.wasm";
/// Folders below `web` that hold no sources.
const WITHOUT_SOURCES: [&str; 2] = ["node_modules", "dist"];
/// The lock file as it was at the last installation, kept beside what it installed.
const INSTALLED_LOCK: &str = "node_modules/.installed-package-lock.json";

/// `cargo xtask web`.
///
/// # Errors
/// When a tool is missing or the build fails.
pub(crate) fn run() -> Result<(), Failure> {
    require("web", &[Tool::Node, Tool::Npm])?;
    build()
}

/// Installs the packages and builds the phone's core and the interfaces, each only if needed.
///
/// # Errors
/// When cargo or npm fails or the sources cannot be read.
pub(crate) fn build() -> Result<(), Failure> {
    install()?;
    build_core()?;
    let folder = folder();
    let newest_source = newest_change(&folder)?;
    let oldest_output = oldest_output(OUTPUTS.map(|output| modified(&folder.join(output))));
    if is_stale(newest_source, oldest_output) {
        prepare(&mut npm(&["run", "build"]))
    } else {
        eprintln!("web: up to date");
        Ok(())
    }
}

/// Builds the core of the phone app and puts it where the app's build finds it. Cargo knows whether anything of it has
/// changed; the app is built anew only where the module is another.
///
/// # Errors
/// When the module cannot be built or copied.
pub(crate) fn build_core() -> Result<(), Failure> {
    let built = module::build_phone_core()?;
    let wanted = fs::read(&built).map_err(|error| Failure::at(&built, &error))?;
    let place = folder().join(CORE);
    if fs::read(&place).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::at(folder, &error))?;
    }
    fs::write(&place, wanted).map_err(|error| Failure::at(&place, &error))
}

/// Installs the packages of the lock file if it is not the one that is installed.
///
/// # Errors
/// When npm fails or a file cannot be read or written.
pub(crate) fn install() -> Result<(), Failure> {
    let lock = folder().join("package-lock.json");
    let stamp = folder().join(INSTALLED_LOCK);
    let wanted = fs::read(&lock).map_err(|error| Failure::at(&lock, &error))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    prepare(&mut npm(&["ci"]))?;
    fs::write(&stamp, wanted).map_err(|error| Failure::at(&stamp, &error))
}

/// npm, working in `web`.
pub(crate) fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder());
    command
}

fn folder() -> PathBuf {
    repository().join("web")
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// The time of the oldest output, or nothing when one is missing.
fn oldest_output<const N: usize>(outputs: [Option<SystemTime>; N]) -> Option<SystemTime> {
    outputs.into_iter().min().flatten()
}

/// Whether the outputs must be built: one is missing, or a source is not older than it. A source with the same time
/// counts as newer, since file times can be as coarse as a second.
fn is_stale(newest_source: Option<SystemTime>, oldest_output: Option<SystemTime>) -> bool {
    match oldest_output {
        None => true,
        Some(output) => newest_source.is_some_and(|source| source >= output),
    }
}

/// The time of the latest change of a source below `folder`. A folder of sources counts with its own time, because that
/// is where a deletion shows; a folder that also holds outputs does not, because a build changes its time.
fn newest_change(folder: &Path) -> Result<Option<SystemTime>, Failure> {
    let mut newest = None;
    let mut holds_outputs = false;
    for entry in fs::read_dir(folder).map_err(|error| Failure::at(folder, &error))? {
        let entry = entry.map_err(|error| Failure::at(folder, &error))?;
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            newest = newest.max(modified(&path));
        } else if WITHOUT_SOURCES.iter().any(|name| entry.file_name() == *name) {
            holds_outputs = true;
        } else {
            newest = newest.max(newest_change(&path)?);
        }
    }
    Ok(if holds_outputs {
        newest
    } else {
        newest.max(modified(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn second(number: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(number))
    }

    #[test]
    fn outputs_are_stale_when_missing_or_not_newer_than_every_source() {
        assert!(is_stale(second(1), None));
        assert!(is_stale(second(3), second(2)));
        assert!(is_stale(second(2), second(2)));
        assert!(!is_stale(second(1), second(2)));
        assert!(!is_stale(None, second(2)));
    }

    #[test]
    fn one_missing_output_hides_the_others() {
        assert_eq!(oldest_output([second(5), second(3)]), second(3));
        assert_eq!(oldest_output([second(5), None]), None);
    }

    #[test]
    fn changes_and_deletions_count_but_outputs_and_packages_do_not() {
        let folder = std::env::temp_dir().join(format!("xtask-staleness-{}", std::process::id()));
        for part in ["console/src", "console/dist", "node_modules/svelte"] {
            fs::create_dir_all(folder.join(part)).expect("folder");
        }
        let set = |path: &str, time: Option<SystemTime>| {
            let file = fs::File::open(folder.join(path)).expect(path);
            file.set_modified(time.expect("time")).expect(path);
        };
        for path in ["console/src/main.ts", "console/src/old.ts", "console/dist/index.html"] {
            fs::write(folder.join(path), "x").expect(path);
        }
        for path in ["console/src/main.ts", "console/src/old.ts", "console/src"] {
            set(path, second(100));
        }
        assert_eq!(newest_change(&folder).expect("readable"), second(100));

        set("console/src/main.ts", second(200));
        assert_eq!(newest_change(&folder).expect("readable"), second(200));

        fs::remove_file(folder.join("console/src/old.ts")).expect("removed");
        assert!(
            newest_change(&folder).expect("readable") > second(200),
            "a deletion is a change"
        );
        fs::remove_dir_all(&folder).expect("cleaned up");
    }
}
