//! Starting other programs, and the failure that ends a chore.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code of a chore whose check or program failed without a code of its own.
pub(crate) const FAILED: u8 = 1;
/// Exit code when the command line is not understood or a tool is missing: nothing was tried.
pub(crate) const USAGE_ERROR: u8 = 2;

/// Why a chore ended early, with the exit code that `cargo xtask` shall return.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code of the process.
    pub(crate) code: u8,
    message: String,
}

impl Failure {
    /// A failure that prints `message` and ends the process with `code`.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A file or folder that could not be read or written.
    pub(crate) fn at(path: &Path, error: &std::io::Error) -> Self {
        Self::new(FAILED, format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// The top folder of the repository.
pub(crate) fn repository() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder)
}

/// The folder that cargo builds into: two above this program (`target/debug/xtask`), wherever the user has put it.
pub(crate) fn target_folder() -> PathBuf {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent).and_then(Path::parent);
    folder.map_or_else(|| repository().join("target"), Path::to_path_buf)
}

/// The cargo that started this program, working in the top folder of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(repository());
    command
}

/// The words of a command as a person would type them.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let mut text = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Announces a command on standard error, runs it and waits for its end.
///
/// # Errors
/// When it cannot be started, or ends with another code than 0, which becomes the failure's code.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    judge(command, status)
}

/// As [`run`], for work that only prepares: whatever the command prints goes to standard error.
///
/// # Errors
/// As [`run`].
pub(crate) fn prepare(command: &mut Command) -> Result<(), Failure> {
    run(command.stdout(std::io::stderr()).stdin(Stdio::null()))
}

/// Announces a command and becomes it, so that its signals, its standard streams and its exit code are its own.
///
/// # Errors
/// When it cannot be started. On success this does not return where the system can replace a process; elsewhere it
/// waits for the end as [`run`] does.
pub(crate) fn become_command(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    replace(command)
}

#[cfg(unix)]
fn replace(command: &mut Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(cannot_start(command, &error))
}

#[cfg(not(unix))]
fn replace(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    judge(command, status)
}

/// Whether a program can be started and ends well, its output thrown away.
pub(crate) fn succeeds<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What a program prints on standard output, or nothing when it fails.
pub(crate) fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Prints a command on standard error before it runs.
pub(crate) fn announce(command: &Command) {
    eprintln!("$ {}", words(command));
}

/// The failure of a command that could not be started.
pub(crate) fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(FAILED, format!("cannot start `{}`: {error}", words(command)))
}

/// Turns the end of a command into this program's result.
///
/// # Errors
/// When the command did not end with code 0.
pub(crate) fn judge(command: &Command, status: std::process::ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED);
    Err(Failure::new(code, format!("`{}` failed ({status})", words(command))))
}
