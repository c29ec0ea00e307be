//! The tree of units at one date, with a round's hamlets as its leaves.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sqlx::SqlitePool;

use super::AdminUnit;
use crate::store::StoreError;

/// A level of administration, from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Tỉnh.
    Province,
    /// Huyện, quận, thị xã, thành phố thuộc tỉnh; abolished in 2025.
    District,
    /// Xã, phường, thị trấn.
    Commune,
    /// Ấp, khu phố.
    Hamlet,
}

impl Level {
    /// The words for the levels, from the top.
    pub const WORDS: [&'static str; 4] = ["province", "district", "commune", "hamlet"];

    /// The level's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::District => "district",
            Self::Commune => "commune",
            Self::Hamlet => "hamlet",
        }
    }

    /// The level with this word; hamlet for any other.
    pub fn from_word(word: &str) -> Self {
        match word {
            "province" => Self::Province,
            "district" => Self::District,
            "commune" => Self::Commune,
            _ => Self::Hamlet,
        }
    }
}

/// One unit in the tree.
#[derive(Debug, Clone)]
pub struct Node {
    /// Official code.
    pub code: String,
    /// Name without the kind.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Level.
    pub level: Level,
    /// The node above.
    pub parent: Option<usize>,
    /// The nodes below, by code.
    pub children: Vec<usize>,
}

/// A unit's code, its parent's, its level, kind and name.
type UnitRow = (String, Option<String>, String, String, String);

/// A tree of units: every node after its parent.
#[derive(Debug, Clone, Default)]
pub struct UnitTree {
    nodes: Vec<Node>,
    by_code: BTreeMap<String, usize>,
}

impl UnitTree {
    /// The tree below `root` on the day `on`, as far down as the units' table goes.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn load(readers: &SqlitePool, root: &str, on: &str) -> Result<Self, StoreError> {
        let rows: Vec<UnitRow> = sqlx::query_as(
            "SELECT code, parent_code, level, kind, name FROM admin_unit
             WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
             ORDER BY code",
        )
        .bind(on)
        .fetch_all(readers)
        .await?;
        Ok(Self::grow(&rows, root))
    }

    /// The tree below `root` on the day `on` that these units make.
    pub fn of(units: &[AdminUnit], root: &str, on: Date) -> Self {
        let mut rows: Vec<UnitRow> = units
            .iter()
            .filter(|unit| unit.valid_from <= on && unit.valid_to.is_none_or(|end| on < end))
            .map(|unit| {
                (
                    unit.code.clone(),
                    unit.parent_code.clone(),
                    unit.level.word().to_owned(),
                    unit.kind.clone(),
                    unit.name.clone(),
                )
            })
            .collect();
        rows.sort();
        Self::grow(&rows, root)
    }

    fn grow(rows: &[UnitRow], root: &str) -> Self {
        let mut below: BTreeMap<&str, Vec<&UnitRow>> = BTreeMap::new();
        for row in rows {
            if let Some(parent) = &row.1 {
                below.entry(parent).or_default().push(row);
            }
        }
        let mut tree = Self::default();
        let mut open: Vec<(Option<usize>, &UnitRow)> =
            rows.iter().filter(|row| row.0 == root).map(|row| (None, row)).collect();
        while let Some((parent, row)) = open.pop() {
            let (code, _, level, kind, name) = row;
            let node = tree.add(parent, code, Level::from_word(level), kind, name);
            let children = below.get(code.as_str()).map(Vec::as_slice).unwrap_or_default();
            // The stack turns the order round, so the children go on it from the last.
            open.extend(children.iter().rev().map(|child| (Some(node), *child)));
        }
        tree
    }

    /// Adds a node below `parent`, and gives its number.
    pub fn add(&mut self, parent: Option<usize>, code: &str, level: Level, kind: &str, name: &str) -> usize {
        let number = self.nodes.len();
        self.nodes.push(Node {
            code: code.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            level,
            parent,
            children: Vec::new(),
        });
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            parent.children.push(number);
        }
        self.by_code.insert(code.to_owned(), number);
        number
    }

    /// All nodes; the root is the first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The number of the node with this code.
    pub fn find(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    /// The nodes above a node, the root first.
    pub fn path(&self, node: usize) -> Vec<usize> {
        let mut path = Vec::new();
        let mut above = self.nodes.get(node).and_then(|node| node.parent);
        while let Some(number) = above {
            path.push(number);
            above = self.nodes.get(number).and_then(|node| node.parent);
        }
        path.reverse();
        path
    }
}
