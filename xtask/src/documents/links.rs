//! Relative links between the repository's files.

use super::{Files, markdown};

/// Every relative link of a Markdown file that leads to no file, folder or heading of the repository.
pub(crate) fn check(files: &Files) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in files {
        let Some(text) = text.as_deref().filter(|_| is_markdown(path)) else {
            continue;
        };
        for link in markdown::links(text) {
            if let Err(reason) = follow(files, path, link.target) {
                complaints.push(format!("{path}:{}: link {}: {reason}", link.line, link.target));
            }
        }
    }
    complaints
}

fn is_markdown(path: &str) -> bool {
    path.ends_with(".md")
}

fn follow(files: &Files, from: &str, target: &str) -> Result<(), String> {
    if is_absolute_address(target) {
        return Ok(());
    }
    let (path, anchor) = target
        .split_once('#')
        .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let decode = |text: &str| percent_decoded(text).ok_or_else(|| format!("`{text}` is not percent-encoded UTF-8"));
    let place = if path.is_empty() {
        from.to_owned()
    } else {
        resolve(from, &decode(path)?)?
    };
    match files.get(&place) {
        Some(text) => match (anchor, text) {
            (Some(anchor), Some(text)) if is_markdown(&place) => {
                let anchor = decode(anchor)?;
                if markdown::anchors(text).contains(&anchor) {
                    Ok(())
                } else {
                    Err(format!("{place} has no heading with the anchor `{anchor}`"))
                }
            }
            _ => Ok(()),
        },
        None if is_folder(files, &place) => Ok(()),
        None => Err(format!("the repository has no {place}")),
    }
}

/// Whether a target has a scheme (`https:`, `mailto:`), and so leads out of the repository.
fn is_absolute_address(target: &str) -> bool {
    target.starts_with("//")
        || target.split_once(':').is_some_and(|(scheme, _)| {
            scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
        })
}

fn is_folder(files: &Files, place: &str) -> bool {
    place.is_empty()
        || files
            .range(format!("{place}/")..)
            .next()
            .is_some_and(|(path, _)| in_folder(path, place))
}

fn in_folder(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The path from the top of the repository to what `target` means in the file `from`.
fn resolve(from: &str, target: &str) -> Result<String, String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').collect()
    };
    for part in target.split('/') {
        match part {
            ".." if parts.pop().is_none_or(str::is_empty) => return Err("it leads out of the repository".to_owned()),
            "" | "." | ".." => {}
            name => parts.push(name),
        }
    }
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("/"))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(documents: &[(&str, &str)]) -> Files {
        let mut files: Files = documents
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())))
            .collect();
        files.insert("docs/images/map.png".to_owned(), None);
        files
    }

    #[test]
    fn links_that_lead_somewhere_are_left_alone() {
        let files = repository(&[
            (
                "README.md",
                "[a](docs/a%20b.md#ph%E1%BA%A7n-1) [b](docs) [c](docs/images/) [d](https://example.org/x) [e](#top)\n# Top",
            ),
            (
                "docs/a b.md",
                "# Phần 1\n[f](../README.md) [g](./images/map.png) [h](/docs/images/map.png#L3) [i](..)",
            ),
        ]);
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn each_broken_link_is_named_with_its_line_and_the_reason() {
        let files = repository(&[
            (
                "README.md",
                "\n[a](docs/b.md)\n[b](docs/a.md#two) [c](../x.md) [d](%FF.md) [e](doc)",
            ),
            ("docs/a.md", "# One\n[f](#One)"),
        ]);
        let expected = [
            "README.md:2: link docs/b.md: the repository has no docs/b.md",
            "README.md:3: link docs/a.md#two: docs/a.md has no heading with the anchor `two`",
            "README.md:3: link ../x.md: it leads out of the repository",
            "README.md:3: link %FF.md: `%FF.md` is not percent-encoded UTF-8",
            "README.md:3: link doc: the repository has no doc",
            "docs/a.md:2: link #One: docs/a.md has no heading with the anchor `One`",
        ];
        assert_eq!(check(&files), expected);
    }

    #[test]
    fn only_markdown_is_read_for_links() {
        assert_eq!(
            check(&repository(&[("src/lib.rs", "//! [a](nowhere.md)")])),
            Vec::<String>::new()
        );
    }
}
