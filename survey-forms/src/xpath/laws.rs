//! Laws of the expression engine, tried on generated expressions.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn context() -> EvaluationContext {
    let now = Moment {
        unix_milliseconds: 1_760_500_000_000,
        utc_offset_minutes: 420,
    };
    EvaluationContext::new(now, "vi")
}

fn empty_tree() -> Tree {
    let mut builder = TreeBuilder::new(Arc::default());
    builder.open(Name::local("data"));
    builder.leaf(NodeKind::Text, Name::local(""), "12");
    builder.finish()
}

fn name() -> impl Strategy<Value = String> {
    // Operators' names are names of questions too.
    prop_oneof![
        "[a-zđ_][a-z0-9_.-]{0,6}",
        Just("div".to_owned()),
        Just("and".to_owned())
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let test = prop_oneof![
        name().prop_map(|local| NodeTest::Name { prefix: None, local }),
        Just(NodeTest::Any),
        Just(NodeTest::Node),
        Just(NodeTest::Text),
        "[a-z]{1,3}".prop_map(NodeTest::AnyWithPrefix),
        Just(NodeTest::ProcessingInstruction(Some("it's".to_owned()))),
    ];
    (0..Axis::ALL.len(), test).prop_map(|(axis, test)| Step {
        axis: Axis::ALL[axis].0,
        test,
        predicates: Vec::new(),
    })
}

fn operator() -> impl Strategy<Value = BinaryOperator> {
    use BinaryOperator as Op;
    prop::sample::select(vec![
        Op::Or,
        Op::And,
        Op::Equal,
        Op::NotEqual,
        Op::Less,
        Op::LessOrEqual,
        Op::Greater,
        Op::GreaterOrEqual,
        Op::Add,
        Op::Subtract,
        Op::Multiply,
        Op::Divide,
        Op::Remainder,
        Op::Union,
    ])
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        (0_u32..1_000_000, 0_u32..4)
            .prop_map(|(number, places)| { Expression::Number(f64::from(number) / 10_f64.powi(places as i32)) }),
        "[^\"]{0,6}".prop_map(Expression::Literal),
        "[^']{0,6}".prop_map(Expression::Literal),
        "[a-z]{1,5}".prop_map(Expression::Variable),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let start = prop_oneof![
            Just(PathStart::Context),
            Just(PathStart::Root),
            name().prop_map(PathStart::Question),
        ];
        let steps = prop::collection::vec((step(), prop::option::of(inner.clone())), 0..4);
        let path = (start, steps, prop::option::of(inner.clone())).prop_map(|(start, steps, predicate)| {
            let steps = steps.into_iter().map(|(mut step, predicate)| {
                step.predicates = predicate.into_iter().collect();
                step
            });
            let mut steps: Vec<Step> = steps.collect();
            if start == PathStart::Context && steps.is_empty() {
                steps.push(Step {
                    axis: Axis::SelfNode,
                    test: NodeTest::Node,
                    predicates: Vec::new(),
                });
            }
            let predicates = match start {
                PathStart::Question(_) => predicate.into_iter().collect(),
                _ => Vec::new(),
            };
            Expression::Path(Path {
                start,
                predicates,
                steps,
            })
        });
        let call = (0..functions::TABLE.len(), prop::collection::vec(inner.clone(), 7)).prop_map(
            |(function, mut arguments)| {
                let function = &functions::TABLE[function];
                arguments.truncate(function.most.unwrap_or(4));
                Expression::Call(Call::new(function, arguments))
            },
        );
        let filter = (inner.clone(), inner.clone()).prop_map(|(start, predicate)| {
            Expression::Path(Path {
                start: PathStart::Expression(Box::new(start)),
                predicates: vec![predicate],
                steps: Vec::new(),
            })
        });
        prop_oneof![
            4 => (operator(), inner.clone(), inner.clone())
                .prop_map(|(operator, left, right)| Expression::Binary(operator, Box::new(left), Box::new(right))),
            1 => inner.clone().prop_map(|inner| Expression::Negate(Box::new(inner))),
            2 => path,
            1 => call,
            // `${q}[…]` is its own kind of path, so only other starts make a filter expression.
            1 => filter.prop_filter("a bare question merges with its predicate", |filter| match filter {
                Expression::Path(path) => !matches!(
                    &path.start,
                    PathStart::Expression(start) if matches!(start.as_ref(), Expression::Path(inner)
                        if matches!(inner.start, PathStart::Question(_)) && inner.steps.is_empty() && inner.predicates.is_empty())
                ),
                _ => true,
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused_and_never_panics(text in "\\PC{0,60}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.offset <= text.len());
            prop_assert!(error.caret(&text).ends_with('^'));
            prop_assert!(!error.vietnamese().is_empty());
        }
    }

    #[test]
    fn any_sequence_of_tokens_is_read_or_refused_and_never_panics(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "[", "]", "/", "//", "..", ".", "@", "*", "-", "+", "|", "=", "<", "and", "div", "a", "b:c",
                "b:*", "child::", "${q}", "$v", "1", "'x'", ",", "count", "if", "node()", "selected",
            ]),
            0..20,
        )
    ) {
        let _ = parse(&tokens.join(" "));
    }

    #[test]
    fn printing_and_reading_again_gives_the_same_tree(expression in expression()) {
        let printed = expression.to_string();
        let again = parse(&printed);
        prop_assert_eq!(again.as_ref(), Ok(&expression), "{}", printed);
    }

    #[test]
    fn each_part_stands_where_its_span_says(expression in expression()) {
        let printed = expression.to_string();
        let parsed = parser::parse_with_spans(&printed).unwrap();
        let mut parts = Vec::new();
        parsed.expression.walk(&mut |part| parts.push(part));
        prop_assert_eq!(parts.len(), parsed.spans.len());
        for (part, span) in parts.into_iter().zip(parsed.spans) {
            let written = &printed[span];
            let again = parse(written);
            prop_assert_eq!(again.as_ref(), Ok(part), "{} in {}", written, printed);
        }
    }

    #[test]
    fn checking_never_panics_and_points_into_the_text(expression in expression(), text in "\\PC{0,60}") {
        for source in [expression.to_string(), text] {
            for finding in check(&source).unwrap_or_default() {
                prop_assert!(source.get(finding.span.clone()).is_some_and(|fault| !fault.is_empty()));
                prop_assert!(finding.caret(&source).ends_with('^'));
            }
        }
    }

    #[test]
    fn reading_lazily_gives_the_same_tree_where_reading_succeeds(expression in expression()) {
        prop_assert_eq!(parse_lazily(&expression.to_string()), Ok(expression));
    }

    #[test]
    fn and_or_and_not_are_those_of_logic(left in expression(), right in expression()) {
        let truth = |written: String| {
            let parsed = parse(&written).ok()?;
            let object = evaluate(&parsed, &empty_tree(), Tree::ROOT, &context(), &Variables::new()).ok()?;
            Some(object.to_boolean())
        };
        let (a, b) = (truth(format!("boolean({left})")), truth(format!("boolean({right})")));
        if let (Some(a), Some(b)) = (a, b) {
            prop_assert_eq!(truth(format!("({left}) and ({right})")), Some(a && b));
            prop_assert_eq!(truth(format!("({left}) or ({right})")), Some(a || b));
            prop_assert_eq!(truth(format!("not({left})")), Some(!a));
            // De Morgan's laws.
            prop_assert_eq!(truth(format!("not(({left}) and ({right}))")), truth(format!("not({left}) or not({right})")));
        }
    }

    #[test]
    fn an_index_finds_what_a_search_finds(
        cells in prop::collection::vec((0_u8..4, 0_u8..4, prop::sample::select(vec!["", "a", "b", "1", "2026-01-01"])), 0..30),
        wanted in prop::sample::select(vec![
            "'a'", "''", "1", "'1'", "/data/*", "/data/w", "current()/v", "'2026-01-01'", "date('2026-01-01')", "$a", "../c1",
        ]),
        column in 0_u8..4,
        again in prop::sample::select(vec!["", "[1]", "[last()]", "[c0]"]),
    ) {
        let mut xml = "<root>".to_owned();
        for (columns, first, text) in cells {
            xml += "<item>";
            for number in 0..columns {
                xml += &format!("<c{}>{text}</c{}>", (first + number) % 4, (first + number) % 4);
            }
            xml += "</item>";
        }
        let mut builder = SecondaryInstancesBuilder::new();
        builder.add_xml("list", &(xml + "</root>")).unwrap();
        let mut tree = document::parse("<data><v>a</v><w>b</w><x/></data>").unwrap();
        tree.set_secondary(builder.finish());
        let origin = tree.children(Tree::ROOT).next().unwrap();
        let variables = Variables::from([("a".to_owned(), 1.0)]);
        let nodes = |predicate: String| {
            let expression = parse(&format!("instance('list')/root/item[{predicate}]{again}")).unwrap();
            evaluate(&expression, &tree, origin, &context(), &variables)
        };
        // A call is not looked up, so this one searches.
        let searched = nodes(format!("boolean(c{column} = {wanted})"));
        prop_assert_eq!(nodes(format!("c{column} = {wanted}")), searched.clone());
        prop_assert_eq!(nodes(format!("{wanted} = c{column}")), searched);
    }

    #[test]
    fn documents_are_read_or_refused_and_never_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "<a>", "</a>", "<b/>", "<x:c xmlns:x='u' x:d=\"1\">", "</x:c>", "<!-- c -->", "<?p q?>", "<![CDATA[d]]>", "&lt;",
                "&#233;", "&no;", "<!DOCTYPE a>", "<?xml version='1.0'?>", "text", "\n", "<", ">", "&", "'", "\"", "]]>", "đ",
            ]),
            0..16,
        )
    ) {
        let xml = parts.concat();
        match document::parse(&xml) {
            Ok(tree) => {
                let context = context();
                for node in tree.document_of(Tree::ROOT) {
                    let path = document::path_of(&tree, node);
                    prop_assert_eq!(node_at(&tree, &path, &context), Ok(node), "{} in {}", path, xml);
                }
            }
            Err(error) => {
                prop_assert!(error.line >= 1 && error.column >= 1);
                prop_assert!(!error.vietnamese().is_empty());
            }
        }
    }

    #[test]
    fn evaluation_never_panics(expression in expression()) {
        let _ = evaluate(&expression, &empty_tree(), Tree::ROOT, &context(), &Variables::from([("a".to_owned(), 1.0)]));
    }

    #[test]
    fn a_number_survives_its_text(number in prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL) {
        prop_assert_eq!(text_to_number(&number_to_text(number), 0), number);
    }

    #[test]
    fn truth_agrees_between_a_number_and_its_sign(number in any::<f64>()) {
        let truth = Object::Number(number).to_boolean();
        prop_assert_eq!(truth, Object::Number(-number).to_boolean());
        prop_assert_eq!(truth, number != 0.0 && !number.is_nan());
    }

    #[test]
    fn text_is_true_unless_empty(text in ".{0,5}") {
        prop_assert_eq!(Object::Text(text.clone()).to_boolean(), !text.is_empty());
    }
}

#[test]
fn conversions_are_those_of_the_standard() {
    // XPath 1.0 §4.2 and §4.4.
    for (text, number) in [
        (" 12.50 ", 12.5),
        ("-3", -3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5", -0.5),
        ("-1.5e-3", -0.0015),
    ] {
        assert_eq!(text_to_number(text, 0), number, "{text}");
    }
    for text in [
        "", " ", "+1", "1e", "e3", "1e3.5", ".e1", "0x10", "1,5", "--1", "- 1", "Infinity", "NaN", ".", "-", "1.2.3",
    ] {
        assert!(text_to_number(text, 0).is_nan(), "{text}");
    }
    for (number, text) in [
        (1.0, "1"),
        (-0.0, "0"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
    ] {
        assert_eq!(number_to_text(number), text);
    }
}

#[test]
fn nesting_and_length_are_limited() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH - 1)).is_ok());
    for text in [
        nested(MAX_DEPTH),
        "-".repeat(50_000),
        "not(".repeat(10_000),
        "a[".repeat(20_000),
    ] {
        let kind = parse(&text).map_err(|error| error.kind);
        assert!(matches!(kind, Err(SyntaxErrorKind::TooDeep)), "{kind:?}");
    }
    for text in ["1+".repeat(30_000) + "1", "a/".repeat(30_000) + "a"] {
        assert!(matches!(
            parse(&text).map_err(|error| error.kind),
            Err(SyntaxErrorKind::TooDeep)
        ));
    }
    let long = " ".repeat(MAX_EXPRESSION_BYTES + 1);
    assert!(matches!(
        parse(&long).map_err(|error| error.kind),
        Err(SyntaxErrorKind::TooLong(_))
    ));
}

#[test]
fn the_deepest_expressions_are_evaluated_on_a_small_stack() {
    // A mebibyte is what WebAssembly has; debug builds need more of it than the optimised one on a phone.
    let deepest = || {
        let tree = empty_tree();
        let predicates = format!("{}data{}", "data[".repeat(MAX_DEPTH - 2), "]".repeat(MAX_DEPTH - 2));
        let calls = format!("{}1{}", "not(".repeat(MAX_DEPTH - 2), ")".repeat(MAX_DEPTH - 2));
        let chain = vec!["1"; MAX_DEPTH * 7].join(" + ");
        for source in [predicates, calls, chain] {
            let expression = parse(&source).unwrap();
            assert_eq!(parse(&expression.to_string()), Ok(expression.clone()));
            evaluate(&expression, &tree, Tree::ROOT, &context(), &Variables::new()).unwrap();
            check(&source).unwrap();
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(deepest).unwrap();
    thread.join().unwrap();
}

#[test]
fn expressions_that_take_too_long_are_stopped() {
    let items = "<i><j>1</j></i>".repeat(3_000);
    let tree = document::parse(&format!("<data>{items}</data>")).unwrap();
    for source in ["count(//j[//j/..])", "//j != //j or //i != //i or //i != //j"] {
        let expression = parse(source).unwrap();
        let stopped = evaluate(&expression, &tree, Tree::ROOT, &context(), &Variables::new());
        assert_eq!(stopped, Err(EvaluationError::TooManyVisits), "{source}");
    }
}
