//! Which known name a wrong one was probably meant to be.

use std::collections::BTreeMap;

/// The known name nearest to `name` by edit distance, if it is near enough to be a slip.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut by_distance: BTreeMap<(usize, &str), ()> = BTreeMap::new();
    for other in known.filter(|other| other.len().abs_diff(name.len()) <= 2) {
        by_distance.insert((edit_distance(name, other), other), ());
    }
    let ((distance, other), ()) = by_distance.into_iter().next()?;
    (distance <= 2 && distance < name.len()).then(|| other.to_owned())
}

/// Levenshtein's distance: the fewest insertions, deletions and replacements of one character.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, left) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(left != *right);
            current.push(replaced.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}
