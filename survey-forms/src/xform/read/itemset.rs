//! Where the choices of a control come from (ODK XForms, "Itemset"): a nodeset taken apart.

/// A nodeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nodeset {
    /// The secondary instance; none where the items are answers.
    pub(super) instance: Option<String>,
    /// The path of the items.
    pub(super) path: String,
    /// Which of them are offered.
    pub(super) filter: Option<String>,
    /// Whether they stand in random order.
    pub(super) is_random: bool,
    /// What the order is made from.
    pub(super) seed: Option<String>,
}

impl Nodeset {
    /// Reads `randomize(instance('id')/root/item[filter], seed)`, of which every part but the path may be absent.
    pub(super) fn read(written: &str) -> Option<Self> {
        let written = written.trim();
        let random = written
            .strip_prefix("randomize")
            .map(str::trim_start)
            .and_then(|call| call.strip_prefix('(')?.strip_suffix(')'));
        let (items, seed) = match random {
            None => (written, None),
            Some(arguments) => match outside_brackets(arguments, ',') {
                None => (arguments.trim(), None),
                Some(comma) => (
                    arguments[..comma].trim(),
                    Some(arguments[comma + 1..].trim().to_owned()),
                ),
            },
        };
        let (instance, rest) = match items.strip_prefix("instance") {
            Some(call) => {
                let call = call.trim_start().strip_prefix('(')?;
                let (id, rest) = call.split_once(')')?;
                let id = id.trim();
                let id = id.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
                (Some(id.to_owned()), rest)
            }
            None => (None, items),
        };
        let start = rest.find('[').unwrap_or(rest.len());
        let path = rest[..start].trim().to_owned();
        let mut predicates = Vec::new();
        let mut left = rest[start..].trim_start();
        while let Some(inner) = left.strip_prefix('[') {
            let end = outside_brackets(inner, ']')?;
            predicates.push(&inner[..end]);
            left = inner[end + 1..].trim_start();
        }
        if !left.is_empty() || path.is_empty() {
            return None;
        }
        let filter = match predicates.as_slice() {
            [] => None,
            [only] => Some((*only).to_owned()),
            all => {
                let all: Vec<String> = all.iter().map(|predicate| format!("({})", predicate.trim())).collect();
                Some(all.join(" and "))
            }
        };
        Some(Self {
            instance,
            path,
            filter,
            is_random: random.is_some(),
            seed,
        })
    }
}

/// The place of the first `wanted` outside literals and brackets.
fn outside_brackets(text: &str, wanted: char) -> Option<usize> {
    let mut literal = None;
    let mut depth = 0_usize;
    for (place, character) in text.char_indices() {
        match literal {
            Some(quote) if quote == character => literal = None,
            Some(_) => {}
            None if depth == 0 && character == wanted => return Some(place),
            None => match character {
                '\'' | '"' => literal = Some(character),
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.checked_sub(1)?,
                _ => {}
            },
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodeset_is_taken_apart() {
        let read = |written| Nodeset::read(written).expect("a nodeset");
        let all = read("randomize(instance('towns')/root/item[a = ']' and b[1] = 2], /data/seed )");
        assert_eq!(all.instance.as_deref(), Some("towns"));
        assert_eq!(all.path, concat!("/", "root/item"));
        assert_eq!(all.filter.as_deref(), Some("a = ']' and b[1] = 2"));
        assert_eq!((all.is_random, all.seed.as_deref()), (true, Some("/data/seed")));
        let answers = read(" /data/member [./name != '']");
        assert_eq!(
            (answers.instance.as_deref(), answers.path.as_str()),
            (None, "/data/member")
        );
        assert_eq!(
            read("instance('t')/root/item[a][b]").filter.as_deref(),
            Some("(a) and (b)")
        );
        for broken in [
            "",
            "instance(",
            "instance('t')/root/item[a",
            "instance('t')/root/item[a]/b",
            "instance('t')",
        ] {
            assert_eq!(Nodeset::read(broken), None, "{broken}");
        }
    }
}
