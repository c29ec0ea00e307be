//! Which expressions depend on their own result.

use survey_forms::model::{Form, FormNode, NodeKind, ProblemKind};

use super::{definition, row};

/// The rows of the circle that a form has, if it has one.
fn circle(nodes: Vec<FormNode>) -> Option<Vec<String>> {
    match Form::compile(definition(nodes)) {
        Ok(_) => None,
        Err(problems) => match problems.0.as_slice() {
            [problem] => match &problem.kind {
                ProblemKind::Circular(names) => Some(names.clone()),
                other => panic!("{other}"),
            },
            _ => panic!("{problems}"),
        },
    }
}

fn calculate(name: &str, parent: Option<usize>, expression: &str) -> FormNode {
    let mut node = FormNode::new(name, NodeKind::Calculate, parent);
    node.calculation = Some(expression.into());
    node
}

fn relevant(mut node: FormNode, expression: &str) -> FormNode {
    node.relevant = Some(expression.into());
    node
}

#[test]
fn rows_of_one_name_in_different_groups_are_told_apart() {
    let nodes = vec![
        row("first", NodeKind::Group),
        calculate("total", Some(0), "/data/second/total + 1"),
        row("second", NodeKind::Group),
        calculate("total", Some(2), "../base + 1"),
        calculate("base", Some(2), "4"),
    ];
    assert_eq!(circle(nodes), None);
    let nodes = vec![
        row("first", NodeKind::Group),
        calculate("total", Some(0), "/data/second/total + 1"),
        row("second", NodeKind::Group),
        calculate("total", Some(2), "/data/first/total + 1"),
    ];
    assert!(circle(nodes).is_some());
}

#[test]
fn circles_are_found_through_every_kind_of_expression() {
    let question = |name| row(name, NodeKind::Integer);
    let cases = vec![
        vec![calculate("a", None, "${b}"), calculate("b", None, "${a}")],
        vec![calculate("a", None, ". + 1")],
        vec![relevant(question("a"), "${b} > 0"), relevant(question("b"), "${a} > 0")],
        vec![relevant(question("a"), "${b} > 0"), calculate("b", None, "${a} + 1")],
        vec![
            relevant(row("g", NodeKind::Group), "${inner} = 1"),
            FormNode::new("inner", NodeKind::Integer, Some(0)),
        ],
        vec![
            {
                let mut repeat = row("r", NodeKind::Repeat);
                repeat.repeat_count = Some("sum(${inner})".into());
                repeat
            },
            FormNode::new("inner", NodeKind::Integer, Some(0)),
        ],
        vec![
            row("r", NodeKind::Repeat),
            calculate(
                "running",
                Some(0),
                "indexed-repeat(${running}, ${r}, position(..) - 1) + 1",
            ),
        ],
    ];
    for nodes in cases {
        let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
        assert!(circle(nodes).is_some(), "{names:?}");
    }
}

#[test]
fn what_only_counts_or_names_a_place_is_no_circle() {
    let nodes = vec![
        row("r", NodeKind::Repeat),
        calculate("place", Some(0), "position(..)"),
        calculate("of", Some(0), "concat(${place}, '/', count(${r}))"),
        calculate("size", None, "count(${r})"),
        calculate("first", None, "indexed-repeat(${of}, ${r}, 1)"),
    ];
    assert_eq!(circle(nodes), None);
    // A calculation that waits for its trigger happens once; it may build on its own last value.
    let mut counter = calculate("counter", None, "coalesce(${counter}, 0) + 1");
    counter.triggers = vec!["press".into()];
    assert_eq!(circle(vec![row("press", NodeKind::Text), counter]), None);
}
