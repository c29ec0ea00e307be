//! As much of Markdown as is needed to find the links of a document and the anchors of its headings.
//!
//! The rules are those of the GitHub Flavored Markdown specification (sections 4.5 fenced code blocks, 4.7 link
//! reference definitions, 6.1 code spans, 6.6 links); anchors are made as GitHub makes them from headings.

use std::collections::BTreeMap;

/// The target of a link and the number of its line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    pub(crate) line: usize,
    pub(crate) target: &'a str,
}

/// The lines of a document outside fenced code blocks, with their numbers counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| start.starts_with(marker));
        match (fence, marker) {
            (None, Some(_)) => {
                fence = marker;
                None
            }
            (Some(open), Some(_)) if marker == Some(open) => {
                fence = None;
                None
            }
            (Some(_), _) => None,
            (None, None) => Some((index + 1, line)),
        }
    })
}

/// Every inline link, image and reference definition outside code.
pub(crate) fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (line, content) in prose(text) {
        if let Some(target) = definition(content) {
            found.push(Link { line, target });
            continue;
        }
        for piece in outside_code_spans(content) {
            let mut rest = piece;
            while let Some((_, after)) = rest.split_once("](") {
                if let Some(target) = destination(after) {
                    found.push(Link { line, target });
                }
                rest = after;
            }
        }
    }
    found
}

/// The target of a line `[label]: target "title"`. Footnotes (`[^1]: …`) look alike and are none.
fn definition(line: &str) -> Option<&str> {
    let (label, after) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    if label.starts_with('^') || label.contains(']') {
        return None;
    }
    destination(after.trim_start())
}

/// The pieces of a line that lie outside `code`, a run of backticks closing the span that as long a run opened.
fn outside_code_spans(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, from) = rest.split_at(start);
        let after = from.trim_start_matches('`');
        let (run, _) = from.split_at(from.len() - after.len());
        pieces.push(before);
        rest = match closing_run(after, run.len()) {
            Some(end) => after.get(end..).unwrap_or_default(),
            None => after,
        };
    }
    pieces.push(rest);
    pieces
}

/// Where the first run of exactly `length` backticks in `text` ends.
fn closing_run(text: &str, length: usize) -> Option<usize> {
    let mut run = 0;
    for (index, byte) in text.bytes().enumerate() {
        if byte == b'`' {
            run += 1;
        } else if run == length {
            return Some(index);
        } else {
            run = 0;
        }
    }
    (run == length).then_some(text.len())
}

/// The link destination at the start of `text`: `<…>`, or up to a space or the parenthesis that closes the link.
fn destination(text: &str) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('<') {
        return inner.split_once('>').map(|(target, _)| target);
    }
    let mut depth = 0;
    let end = text.find(|letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth < 0 || letter.is_whitespace()
    });
    let target = end.map_or(Some(text), |end| text.get(..end))?;
    (!target.is_empty()).then_some(target)
}

/// The anchors of a document: one for each heading, and those written as `<a id="…">`.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (_, line) in prose(text) {
        for attribute in ["<a id=\"", "<a name=\""] {
            let ids = line.split(attribute).skip(1).filter_map(|after| after.split_once('"'));
            found.extend(ids.map(|(id, _)| id.to_owned()));
        }
        let Some(heading) = heading(line) else {
            continue;
        };
        let anchor = anchor(heading);
        let time = times.entry(anchor.clone()).or_insert(0);
        found.push(if *time == 0 { anchor } else { format!("{anchor}-{time}") });
        *time += 1;
    }
    found
}

/// The text of a heading written with `#`.
fn heading(line: &str) -> Option<&str> {
    let after = line.trim_start_matches('#');
    let level = line.len() - after.len();
    let text = after.strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| text.trim_end_matches('#').trim())
}

/// Lower case, without punctuation except `-` and `_`, spaces as `-`; of a link only its text.
fn anchor(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    while let Some((label, after)) = rest.split_once("](") {
        text.push_str(label);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<(usize, &str)> {
        links(text).into_iter().map(|link| (link.line, link.target)).collect()
    }

    #[test]
    fn links_images_and_definitions_are_found_with_their_lines() {
        let text = "\
See [a](docs/a.md) and ![b](b.png \"title\").

[c]: ../c.md#part
[d](<with space.md>) [e](e_(f).md) [![g](g.svg)](h.md)
[^1]: no.md";
        let expected = vec![
            (1, "docs/a.md"),
            (1, "b.png"),
            (3, "../c.md#part"),
            (4, "with space.md"),
            (4, "e_(f).md"),
            (4, "g.svg"),
            (4, "h.md"),
        ];
        assert_eq!(targets(text), expected);
    }

    #[test]
    fn code_holds_no_links() {
        let text = "\
`[a](a.md)` then [b](b.md), ``x ` [c](c.md)`` and [d](d.md)
```text
[e](e.md)
~~~
[f](f.md)
```
a lone ` then [g](g.md)";
        assert_eq!(targets(text), [(1, "b.md"), (1, "d.md"), (7, "g.md")]);
    }

    #[test]
    fn anchors_follow_the_headings() {
        let text = "\
# Khảo Sát: đợt 1
## The `demo` chore (fast!)
## [Linked](x.md) text
### Same
### Same
#no heading
```
# no heading either
```
<a id=\"by-hand\"></a>";
        let expected = [
            "khảo-sát-đợt-1",
            "the-demo-chore-fast",
            "linked-text",
            "same",
            "same-1",
            "by-hand",
        ];
        assert_eq!(anchors(text), expected);
    }
}
