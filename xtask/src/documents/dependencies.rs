//! Every direct dependency is explained in `docs/dependencies.md`.

use std::collections::BTreeSet;

use super::Files;

/// The document with one line for each direct dependency.
const DOCUMENT: &str = "docs/dependencies.md";

/// Every direct dependency, of a crate or of the web workspace, without a line in the document.
pub(crate) fn check(files: &Files) -> Vec<String> {
    let text = |path: &str| files.get(path).and_then(Option::as_deref).unwrap_or_default();
    let explained: BTreeSet<&str> = text(DOCUMENT).lines().filter_map(first_cell).collect();
    let manifests = files.keys().filter(|path| path.ends_with("/Cargo.toml"));
    let members: BTreeSet<&str> = manifests.filter_map(|path| package_name(text(path))).collect();
    let mut complaints = Vec::new();
    for path in files.keys() {
        let dependencies = match path.rsplit('/').next() {
            Some("Cargo.toml") => of_cargo(text(path)),
            Some("package.json") => of_npm(text(path)),
            _ => continue,
        };
        for (line, name) in dependencies {
            let is_ours = members.contains(name) || name.starts_with("@khaosat/");
            if !is_ours && !explained.contains(name) {
                complaints.push(format!(
                    "{path}:{line}: the dependency {name} has no line in {DOCUMENT}"
                ));
            }
        }
    }
    complaints
}

/// The name of a crate in its manifest.
fn package_name(manifest: &str) -> Option<&str> {
    let (_, package) = manifest.split_once("[package]")?;
    let line = package.lines().find(|line| line.starts_with("name"))?;
    line.split('"').nth(1)
}

/// The first cell of a row of a Markdown table.
fn first_cell(line: &str) -> Option<&str> {
    line.strip_prefix('|')?.split('|').next().map(str::trim)
}

/// The names in the sections of dependencies of a crate's manifest, with their lines. The section of the workspace only
/// gives versions: what is used from it stands in the manifests of the crates.
fn of_cargo(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(section) = line.strip_prefix('[') {
            let name = section.trim_end().trim_end_matches(']');
            inside = name.ends_with("dependencies") && !name.starts_with("workspace");
            let single = name
                .rsplit_once("dependencies.")
                .filter(|(before, _)| !before.starts_with("workspace"));
            found.extend(single.map(|(_, dependency)| (index + 1, dependency)));
        } else if inside && line.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
            let name = line
                .split(|letter: char| letter == '.' || letter == '=' || letter.is_whitespace())
                .next();
            found.extend(name.map(|name| (index + 1, name)));
        }
    }
    found
}

/// The names in the objects of dependencies of a `package.json` as npm writes it, one a line.
fn of_npm(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some((name, value)) = line.trim().strip_prefix('"').and_then(|rest| rest.split_once("\":")) else {
            inside = false;
            continue;
        };
        if value.trim() == "{" {
            inside = name.to_ascii_lowercase().ends_with("dependencies");
        } else if inside {
            found.push((index + 1, name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_without_a_line_are_named_where_they_stand() {
        let files: Files = [
            (DOCUMENT, "| crate | why |\n| --- | --- |\n| serde | x |\n| vite | x |\n"),
            ("Cargo.toml", "[workspace.dependencies]\nunused = \"1\"\n"),
            ("core/Cargo.toml", "[package]\nname = \"core\"\n[dependencies]\nserde.workspace = true\n"),
            (
                "server/Cargo.toml",
                "[dependencies]\ncore.workspace = true\nsqlx = { version = \"1\" }\n\n# Why\n[target.'cfg(unix)'.dependencies.nix]\nversion = \"1\"\n[dev-dependencies]\ntempfile.workspace = true\n[lints]\nworkspace = true\n",
            ),
            (
                "web/package.json",
                "{\n  \"name\": \"web\",\n  \"devDependencies\": {\n    \"vite\": \"8\",\n    \"svelte\": \"5\"\n  },\n  \"type\": \"module\"\n}\n",
            ),
        ]
        .map(|(path, text)| (path.to_owned(), Some(text.to_owned())))
        .into();
        let expected = [
            "server/Cargo.toml:3: the dependency sqlx has no line in docs/dependencies.md",
            "server/Cargo.toml:6: the dependency nix has no line in docs/dependencies.md",
            "server/Cargo.toml:9: the dependency tempfile has no line in docs/dependencies.md",
            "web/package.json:5: the dependency svelte has no line in docs/dependencies.md",
        ];
        assert_eq!(check(&files), expected);
    }
}
