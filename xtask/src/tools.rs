//! The programs that must be on the machine before a chore starts, and how to get them.

use crate::process::{Failure, USAGE_ERROR, answer, succeeds};

/// A program that the repository cannot install by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// The C compiler that builds the bundled SQLite.
    CCompiler,
    /// The C++ compiler that builds libFuzzer.
    CppCompiler,
    /// Version control, which lists the files of the repository.
    Git,
    /// The JavaScript runtime that builds the web interfaces.
    Node,
    /// Its package manager.
    Npm,
    /// Python with virtual environments, for the tests that compare with other implementations.
    Python,
}

/// The oldest Node that the build tools of the web interfaces accept.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// What a tool is called, and how to get it in Vietnamese and English.
struct Advice {
    name: &'static str,
    vietnamese: &'static str,
    english: &'static str,
}

impl Tool {
    fn is_present(self) -> bool {
        match self {
            Self::CCompiler => succeeds("cc", &["--version"]),
            Self::CppCompiler => succeeds("c++", &["--version"]),
            Self::Git => succeeds("git", &["--version"]),
            Self::Node => answer("node", &["--version"]).is_some_and(|text| node_is_new_enough(&text)),
            Self::Npm => succeeds("npm", &["--version"]),
            Self::Python => succeeds("python3", &["-c", "import ensurepip, venv"]),
        }
    }

    fn advice(self) -> Advice {
        match self {
            Self::CCompiler => Advice {
                name: "cc (gcc)",
                vietnamese: "chạy `apt-get install gcc libc6-dev`",
                english: "run `apt-get install gcc libc6-dev`",
            },
            Self::CppCompiler => Advice {
                name: "c++ (g++)",
                vietnamese: "chạy `apt-get install g++`",
                english: "run `apt-get install g++`",
            },
            Self::Git => Advice {
                name: "git",
                vietnamese: "chạy `apt-get install git`",
                english: "run `apt-get install git`",
            },
            Self::Node => Advice {
                name: "node ≥ 20.19",
                vietnamese: "tải bản LTS tại https://nodejs.org/vi/download (kèm npm)",
                english: "get the LTS release from https://nodejs.org/en/download (npm comes with it)",
            },
            Self::Npm => Advice {
                name: "npm",
                vietnamese: "có sẵn trong bản tải Node tại https://nodejs.org/vi/download",
                english: "it comes with Node from https://nodejs.org/en/download",
            },
            Self::Python => Advice {
                name: "python3 + venv",
                vietnamese: "chạy `apt-get install python3 python3-venv`",
                english: "run `apt-get install python3 python3-venv`",
            },
        }
    }
}

/// Makes sure that `needed` are there before a chore starts to change anything.
///
/// # Errors
/// A [`Failure`] with exit code 2 that lists, in Vietnamese and then in English, each missing tool and how to get it.
pub(crate) fn require(chore: &str, needed: &[Tool]) -> Result<(), Failure> {
    let missing: Vec<Tool> = needed.iter().copied().filter(|tool| !tool.is_present()).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(USAGE_ERROR, describe(chore, &missing)))
    }
}

fn describe(chore: &str, missing: &[Tool]) -> String {
    let list = |of: fn(&Advice) -> &'static str| -> String {
        let lines = missing.iter().map(|tool| tool.advice());
        lines
            .map(|advice| format!("\n  - {}: {}", advice.name, of(&advice)))
            .collect()
    };
    format!(
        "`cargo xtask {chore}` thiếu công cụ (chưa có hoặc quá cũ):{}\n\n`cargo xtask {chore}` lacks tools (absent or too old):{}",
        list(|advice| advice.vietnamese),
        list(|advice| advice.english),
    )
}

/// Reads what `node --version` prints (`v20.19.0`).
fn node_is_new_enough(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST_NODE,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        for version in ["v20.19.0", "v20.20.2", "v22.1.0", "v100.0.0"] {
            assert!(node_is_new_enough(version), "{version}");
        }
        for version in ["v20.9.0", "v18.20.4", "v9.99.0", "", "node"] {
            assert!(!node_is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn each_missing_tool_is_described_in_both_languages() {
        let text = describe("demo", &[Tool::Node, Tool::CCompiler]);
        let (vietnamese, english) = text.split_once("\n\n").expect("two languages");
        for part in [vietnamese, english] {
            assert!(
                part.contains("cargo xtask demo") && part.contains("node ≥ 20.19"),
                "{part}"
            );
            assert!(part.contains("apt-get install gcc"), "{part}");
        }
        assert!(!text.contains("python3"), "{text}");
    }
}
