//! Words that no file of the repository may hold: folders of the machine it was written on, and hosts of package
//! registries, which differ from network to network (name the package instead).

use super::Files;

/// Top folders in which people and machines keep their work.
const MACHINE_FOLDERS: [&str; 2] = ["root", "work"];
/// Hosts of package registries. Each is put together here, so that this file does not hold the word that it forbids.
const REGISTRY_HOSTS: [&str; 7] = [
    concat!("registry.", "npmjs.org"),
    concat!("pypi", ".org"),
    concat!("files.", "pythonhosted.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("proxy.", "golang.org"),
    concat!("deb.", "debian.org"),
];

/// Every forbidden word of every text file.
pub(crate) fn check(files: &Files) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in files {
        for (index, line) in text.as_deref().unwrap_or_default().lines().enumerate() {
            if let Some(word) = machine_path(line) {
                complaints.push(format!("{path}:{}: {word} is a path of one machine", index + 1));
            }
            for host in REGISTRY_HOSTS.into_iter().filter(|host| line.contains(host)) {
                complaints.push(format!(
                    "{path}:{}: {host} is a registry's host; name the package",
                    index + 1
                ));
            }
        }
    }
    complaints
}

/// The start of the first absolute path of `line` that leads into a machine folder or somebody's home. A longer
/// address in which such a folder only occurs (`https://example.org/…`, `docs/…`) is none, nor is what follows a bracket, as
/// in the XPath `instance('list')/…`.
fn machine_path(line: &str) -> Option<&str> {
    line.match_indices('/').find_map(|(start, _)| {
        let begins_path =
            !line[..start].ends_with(|letter: char| letter.is_alphanumeric() || "/.-_~})".contains(letter));
        let path = &line[start..];
        let mut parts = path.split('/').skip(1);
        let (first, second) = (parts.next()?, parts.next()?);
        let length = if MACHINE_FOLDERS.contains(&first) {
            first.len() + 2
        } else if first == "home" && parts.next().is_some() && is_user_name(second) {
            first.len() + second.len() + 3
        } else {
            return None;
        };
        if begins_path { path.get(..length) } else { None }
    })
}

fn is_user_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path from its parts, so that the tests do not hold what the check forbids.
    fn path(parts: &[&str]) -> String {
        format!("/{}/", parts.join("/"))
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for found in [path(&["root"]), path(&["work"]), path(&["home", "lan"])] {
            for line in [
                format!("cd {found}x"),
                format!("`{found}`"),
                format!("(={found}a/b)"),
                format!("file:{found}"),
            ] {
                assert_eq!(machine_path(&line), Some(found.as_str()), "{line}");
            }
        }
    }

    #[test]
    fn other_paths_and_addresses_are_left_alone() {
        let (root, home) = (path(&["root"]), path(&["home", "lan"]));
        for line in [
            format!("https://example.org{root}x"),
            format!("docs{root}x and ~{root}x and ..{root}x"),
            format!("{{base}}{home}"),
            format!("instance('list'){root}item"),
            "/home/ and /rooted/ and /workers/".to_owned(),
            "href=\"/home\"".to_owned(),
            "đợt/".to_owned(),
        ] {
            assert_eq!(machine_path(&line), None, "{line}");
        }
    }

    #[test]
    fn complaints_name_the_file_and_the_line() {
        let text = format!("first\nsee {}x\nfrom https://{}/x", path(&["root"]), REGISTRY_HOSTS[1]);
        let files = Files::from([("a.txt".to_owned(), Some(text)), ("b.png".to_owned(), None)]);
        let complaints = check(&files);
        assert_eq!(complaints.len(), 2);
        assert!(complaints[0].starts_with("a.txt:2: "), "{}", complaints[0]);
        assert!(complaints[1].starts_with("a.txt:3: "), "{}", complaints[1]);
    }
}
