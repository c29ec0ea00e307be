//! Expressions over documents, each with what it gives. Values of hashes, orders and distances come from other software:
//! Node's crypto, and the generator of ODK Web Forms run on these inputs.

use super::*;

/// A form with a primary instance, a secondary one and translations.
const FORM: &str = r#"<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa">
  <h:head>
    <h:title>Hộ gia đình</h:title>
    <model>
      <itext>
        <translation lang="vi" default="true()"><text id="hello"><value>Chào</value></text></translation>
        <translation lang="en"><text id="hello"><value>Hello</value><value form="short">Hi</value></text></translation>
      </itext>
      <instance>
        <data id="household" version="2026-11" xmlns="http://example.org/household">
          <commune>28300</commune>
          <member jr:template=""><name/></member>
          <member><name>An</name><born>1990-05-01</born></member>
          <member><name>Bình</name><born>2015-12-31</born></member>
        </data>
      </instance>
      <instance id="communes">
        <root>
          <item><name>28300</name><label>Gò Công</label></item>
          <item><name>28306</name><label>Long Hưng</label></item>
        </root>
      </instance>
    </model>
  </h:head>
</h:html>"#;

fn context(language: &str) -> EvaluationContext {
    let now = Moment::parse("2026-11-25T08:30:00.500+07:00", 420).unwrap();
    EvaluationContext::new(now, language).with_random_seed(RandomSeed([3; 16]))
}

fn result(tree: &Tree, context: &EvaluationContext, at: &str, source: &str) -> Result<String, EvaluationError> {
    let origin = node_at(tree, at, context).unwrap();
    let expression = parse(source).unwrap();
    evaluate(&expression, tree, origin, context, &Variables::new()).map(|object| object.to_text(tree))
}

fn value(tree: &Tree, source: &str) -> String {
    result(tree, &context("vi"), "/", source).unwrap()
}

fn empty() -> Tree {
    document::parse("<data/>").unwrap()
}

#[test]
fn a_forms_expressions_are_about_its_primary_instance() {
    let form = document::parse(FORM).unwrap();
    for (source, expected) in [
        ("/data/commune", "28300"),
        ("count(/data/member)", "3"),
        ("/data/member[name = 'An']/born", "1990-05-01"),
        ("/data/member[2]/born < '2000-01-01'", "true"),
        ("count(//h:title)", "0"),
        ("version()", "2026-11"),
        ("/data/member/@jr:template", ""),
        ("instance('communes')/root/item[name = /data/commune]/label", "Gò Công"),
        ("instance('communes')/root/item[2]/label", "Long Hưng"),
        ("pulldata('communes', 'label', 'name', '28306')", "Long Hưng"),
        ("pulldata('communes', 'label', 'name', 'none')", ""),
        ("name(/*)", "data"),
        ("namespace-uri(/*)", "http://example.org/household"),
    ] {
        assert_eq!(value(&form, source), expected, "{source}");
    }
    // A path from the document itself still reaches all of it.
    assert_eq!(
        result(&form, &context("vi"), "/h:html/h:head/h:title", ".").unwrap(),
        "Hộ gia đình"
    );
    let unknown = result(&form, &context("vi"), "/", "instance('nothing')/root");
    assert_eq!(unknown, Err(EvaluationError::UnknownInstance("nothing".to_owned())));
}

#[test]
fn translations_follow_the_language_and_fall_back_to_the_default() {
    let form = document::parse(FORM).unwrap();
    for (language, expected) in [("en", "Hello"), ("vi", "Chào"), ("km", "Chào")] {
        let text = result(&form, &context(language), "/", "jr:itext('hello')").unwrap();
        assert_eq!(text, expected, "{language}");
    }
    assert_eq!(value(&form, "count(jr:itext('none'))"), "0");
}

#[test]
fn secondary_instances_come_from_rows_csv_xml_and_geojson() {
    let mut builder = SecondaryInstancesBuilder::new();
    builder
        .add_rows(
            "yes_no",
            [[("name", "1"), ("label", "Có")], [("name", "0"), ("label", "Không")]],
        )
        .unwrap();
    builder.add_csv("prices", "key,price\nrice,12.5\nsalt,3\n").unwrap();
    builder
        .add_xml(
            "tree",
            "<root xmlns='http://example.org/t' v='1'><item><a>x</a><a>y</a></item><!--c--></root>",
        )
        .unwrap();
    builder
        .add_geojson(
            "places",
            r#"{"type":"FeatureCollection","features":[
                {"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[106.36,10.5]},"properties":{"name":"Chợ","floors":2.0}},
                {"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,1],[2,3],[0,1]]]},"properties":null}]}"#,
        )
        .unwrap();
    let mut tree = document::parse("<data><pick>salt</pick><other>rice</other></data>").unwrap();
    tree.set_secondary(builder.finish());
    for (source, expected) in [
        ("instance('yes_no')/root/item[name = '0']/label", "Không"),
        ("instance('yes_no')/root/item[name = 1]/label", "Có"),
        ("count(instance('yes_no')/root/item)", "2"),
        ("instance('prices')/root/item[key = /data/pick]/price", "3"),
        ("instance('prices')/root/item[/data/pick = key]/price", "3"),
        ("instance('prices')/root/item[key = /data/*][2]/key", "salt"),
        ("sum(instance('prices')/root/item[price > 4]/price)", "12.5"),
        ("pulldata('prices.csv', 'price', 'key', /data/other)", "12.5"),
        ("instance('tree')/root/@v", "1"),
        ("instance('tree')/root/item[a = 'y']/a[1]", "x"),
        ("count(instance('tree')/root/comment())", "1"),
        ("instance('places')/root/item[name = 'Chợ']/geometry", "10.5 106.36 0 0"),
        ("instance('places')/root/item[id = '7']/floors", "2"),
        ("instance('places')/root/item[2]/geometry", "1 0 0 0; 3 2 0 0; 1 0 0 0"),
        ("count(instance('prices')/root/item[1]/following::item)", "1"),
        ("instance('prices')/@id", "prices"),
        ("count(instance('prices') | /data)", "2"),
    ] {
        assert_eq!(value(&tree, source), expected, "{source}");
    }
    let node = node_at(&tree, "instance('prices')/root/item[2]/price", &context("vi")).unwrap();
    let path = document::path_of(&tree, node);
    assert_eq!(path, "instance('prices')/node()[1]/node()[2]/node()[2]");
    assert_eq!(node_at(&tree, &path, &context("vi")), Ok(node));
}

#[test]
fn instances_that_cannot_be_read_are_refused_by_name() {
    let mut builder = SecondaryInstancesBuilder::new();
    builder.add_csv("a", "x\n1").unwrap();
    for error in [
        builder.add_csv("a", "x\n1").unwrap_err(),
        builder.add_csv("b", "first name\n1").unwrap_err(),
        builder.add_xml("c", "<root>").unwrap_err(),
        builder.add_geojson("d", "{}").unwrap_err(),
        builder.add_geojson("e", "[").unwrap_err(),
        builder
            .add_geojson(
                "f",
                r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}"#,
            )
            .unwrap_err(),
    ] {
        assert!(error.to_string().contains(&error.instance) && error.vietnamese().contains(&error.instance));
    }
}

#[test]
fn a_lookup_in_a_long_list_is_no_search() {
    let rows: Vec<[String; 2]> = (0..100_000)
        .map(|number| [format!("k{number}"), format!("Ấp {number}")])
        .collect();
    let mut builder = SecondaryInstancesBuilder::new();
    let rows = rows
        .iter()
        .map(|[key, label]| [("name", key.as_str()), ("label", label.as_str())]);
    builder.add_rows("hamlets", rows).unwrap();
    let instances = builder.finish();
    // Looking at every row for each of them would be 40 million visits, more than an expression may make.
    let numbers = (0..100_000).step_by(250);
    let lookups: Vec<String> = numbers
        .clone()
        .map(|number| format!("instance('hamlets')/root/item[name = 'k{number}']/label"))
        .collect();
    let expression = parse(&format!("concat({})", lookups.join(", "))).unwrap();
    let mut tree = document::parse("<data/>").unwrap();
    tree.set_secondary(instances);
    let found = evaluate(&expression, &tree, Tree::ROOT, &context("vi"), &Variables::new()).unwrap();
    let expected: String = numbers.map(|number| format!("Ấp {number}")).collect();
    assert_eq!(found.to_text(&tree), expected);
}

#[test]
fn the_order_of_randomize_is_that_of_odk() {
    let items: String = "abcdefgh".chars().map(|letter| format!("<i>{letter}</i>")).collect();
    let tree = document::parse(&format!("<data>{items}</data>")).unwrap();
    for (seed, expected) in [
        ("2026", "deghabcf"),
        ("-7", "afcehdbg"),
        ("0", "cbhafdge"),
        ("''", "cbhafdge"),
        ("number('x')", "cbhafdge"),
        ("1 div 0", "gfeachbd"),
        ("-1 div 0", "abfcdegh"),
        ("3.9", "hdefbacg"),
        ("'3.9'", "hdefbacg"),
        ("123456789012", "hcbefadg"),
        ("'Tiền Giang'", "dfbehagc"),
    ] {
        assert_eq!(
            value(&tree, &format!("join('', randomize(/data/i, {seed}))")),
            expected,
            "{seed}"
        );
    }
    assert_eq!(value(&tree, "randomize(/data/i, 2026)[1]"), "d");
    assert_eq!(value(&tree, "count(randomize(/data/i))"), "8");
}

/// The base64 of RFC 8032 §7.1, test 2: signature and message "r", and the public key.
const SIGNED: &str = "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAHI=";
const KEY: &str = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";

#[test]
fn what_is_signed_is_extracted_where_the_signature_is_the_keys() {
    let tree = document::parse("<data/>").unwrap();
    let verifier = SignatureVerifier(|key, message, signature| {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        let key = ed25519_dalek::VerifyingKey::from_bytes(key);
        key.is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    });
    let with_verifier = context("vi").with_signature_verifier(verifier);
    let extracted = |signed: &str, key: &str| {
        let found = result(
            &tree,
            &with_verifier,
            "/data",
            &format!("extract-signed('{signed}', '{key}')"),
        );
        found.unwrap()
    };
    assert_eq!(extracted(SIGNED, KEY), "r");
    for (signed, key) in [
        (SIGNED.replace("AHI=", "AHM=").as_str(), KEY),
        (SIGNED, KEY.replace("PUA", "PUB").as_str()),
        (SIGNED, ""),
        (SIGNED, SIGNED),
        ("", KEY),
        ("cg==", KEY),
        ("không phải base64", KEY),
    ] {
        assert_eq!(extracted(signed, key), "", "{signed} {key}");
    }
    let without = result(
        &tree,
        &context("vi"),
        "/data",
        &format!("extract-signed('{SIGNED}', '{KEY}')"),
    );
    assert_eq!(without.unwrap_err(), EvaluationError::NoSignatureVerifier);
}

#[test]
fn chance_comes_from_the_seed_alone() {
    let tree = document::parse("<data><a/><b/></data>").unwrap();
    let draw = |at: &str, source: &str, seed: u8| {
        let context = context("vi").with_random_seed(RandomSeed([seed; 16]));
        result(&tree, &context, at, source).unwrap()
    };
    let source = "concat(random(), ' ', uuid())";
    assert_eq!(draw("/data/a", source, 1), draw("/data/a", source, 1));
    assert_ne!(draw("/data/a", source, 1), draw("/data/b", source, 1));
    assert_ne!(draw("/data/a", source, 1), draw("/data/a", source, 2));
    assert_eq!(value(&tree, "random() = random()"), "false");
    assert_eq!(value(&tree, "random() >= 0 and random() < 1"), "true");
    let version_4 = "regex(uuid(), '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')";
    assert_eq!(value(&tree, version_4), "true");
    assert_eq!(value(&tree, "string-length(uuid(99))"), "99");
    let mut context = context("vi");
    context.random_seed = None;
    for source in ["random()", "uuid()", "randomize(/data/*)"] {
        let error = result(&tree, &context, "/", source);
        assert!(matches!(error, Err(EvaluationError::NoRandomSeed(_))), "{source}");
    }
    assert!(result(&tree, &context, "/", "randomize(/data/*, 1)").is_ok());
}

#[test]
fn hashes_places_and_encodings() {
    let tree = empty();
    for (source, expected) in [
        (
            "digest('Xã Tân Hương', 'MD5', 'hex')",
            "b5d4502d89793d7de9b7b2a95b356b15",
        ),
        (
            "digest('Xã Tân Hương', 'SHA-1', 'hex')",
            "6d8cc25a9a5e4206d5460f84f1bb58e9b863c25a",
        ),
        (
            "digest('Xã Tân Hương', 'SHA-256')",
            "zgtMm1xiSl/axpNZyxDDVpAt5tFLfWh+3ydjnAVgIb4=",
        ),
        (
            "digest('Xã Tân Hương', 'SHA-384', 'base64')",
            "WyqoZzomo5p4YoiImbvproZHI1lyWgseX39eSF8ocLURraH4iMG1DM6lEItlrXTG",
        ),
        (
            "digest('Xã Tân Hương', 'SHA-512')",
            "IYAI+7Ih8S9hN6cqzOGo8c3WFBwMX4zBze8ZD+2VtxEwYXvCit11j+jiIRemdhnw+5hotIq46ThQP2HaFaMajA==",
        ),
        ("base64-decode('WMOjIFTDom4')", "Xã Tân"),
        ("base64-decode('!')", ""),
        (
            "area('10.35 106.36;10.36 106.37;10.35 106.38;10.34 106.37')",
            "2438050.45",
        ),
        (
            "distance('10.35 106.36 5 3; 10.36 106.37; 10.35 106.38; 10.34 106.37;;')",
            "4684.58",
        ),
        (
            "distance('10.35 106.36', '10.36 106.37', '10.35 106.38', '10.34 106.37')",
            "4684.58",
        ),
        ("area('nowhere')", "0"),
        (
            "geofence('10.35 106.37', '10.35 106.36;10.36 106.37;10.35 106.38;10.34 106.37;10.35 106.36')",
            "true",
        ),
        (
            "geofence('10.36 106.36', '10.35 106.36;10.36 106.37;10.35 106.38;10.34 106.37;10.35 106.36')",
            "false",
        ),
        (
            "geofence('10.35 106.37', '10.35 106.36;10.36 106.37;10.35 106.38')",
            "false",
        ),
    ] {
        assert_eq!(value(&tree, source), expected, "{source}");
    }
    for source in [
        "digest('a', 'SHA1')",
        "digest('a', 'MD5', 'HEX')",
        "distance('91 0;0 0')",
        "uuid(-1)",
    ] {
        let error = result(&tree, &context("vi"), "/", source).unwrap_err();
        assert!(
            !error.to_string().is_empty() && !error.vietnamese().is_empty(),
            "{source}"
        );
    }
}

#[test]
fn dates_are_numbers_that_are_written_as_dates() {
    let tree = document::parse("<data><d>2026-11-25</d><t>2026-11-24T17:00:00.000Z</t></data>").unwrap();
    for (source, expected) in [
        ("today()", "2026-11-25"),
        ("now()", "2026-11-25T08:30:00.500+07:00"),
        ("today() = /data/d", "true"),
        ("today() = /data/t", "true"),
        ("today() = '2026-11-25'", "true"),
        ("/data/d = /data/t", "false"),
        ("date(/data/t)", "2026-11-25"),
        ("date(today() + 1)", "2026-11-26"),
        ("date('2026-2-3')", "2026-02-03"),
        ("date('2026-02-30') = ''", "false"),
        ("boolean(date('2026-02-30'))", "false"),
        ("coalesce(date('2026-02-30'), 'none')", "none"),
        ("date('')", ""),
        ("number('1970-01-02')", "0"),
        ("number('1970-01-02') * 24", "17"),
        ("format-date(/data/t, '%Y-%m-%d %H:%M')", "2026-11-25 00:00"),
        ("format-date(0.5, '%H:%M %a %e %b %y')", "19:00 Thu 1 Jan 70"),
        ("decimal-time('06:00:00.000+07:00')", "0.25"),
        ("decimal-time('06:00:00Z')", "0.5416666666666666"),
        ("decimal-date-time('1970-01-01T07:00:00')", "0"),
        ("decimal-date-time('tomorrow')", "NaN"),
        ("date('9999-12-31')", "9999-12-31"),
        ("boolean(date('10000-01-01'))", "false"),
        ("if(true(), today(), '')", "2026-11-25"),
        ("1e0", ""),
    ] {
        match parse(source) {
            Ok(_) => assert_eq!(value(&tree, source), expected, "{source}"),
            Err(error) => assert_eq!((source, error.offset), ("1e0", 1)),
        }
    }
}

#[test]
fn calls_without_meaning_are_errors_only_where_they_are_reached() {
    let tree = empty();
    for (source, expected) in [
        ("false() and nothing()", Some("false")),
        ("1or nothing(1, substring())", Some("true")),
        ("if(true(), 'a', nothing())", Some("a")),
        ("nothing()", None),
        ("substring('a')", None),
        ("true() and nothing()", None),
    ] {
        assert!(parse(source).is_err(), "{source}");
        let expression = parse_lazily(source).unwrap();
        let result = evaluate(&expression, &tree, Tree::ROOT, &context("vi"), &Variables::new());
        match (result, expected) {
            (Ok(object), Some(expected)) => assert_eq!(object.to_text(&tree), expected, "{source}"),
            (Err(EvaluationError::Unresolved(_)), None) => {}
            (other, _) => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn regex_takes_the_whole_text_or_a_part_as_the_context_says() {
    let tree = document::parse("<data>09123456789</data>").unwrap();
    let mut context = context("vi");
    let matches = |context: &EvaluationContext| result(&tree, context, "/data", "regex(., '0[0-9]{9}')").unwrap();
    assert_eq!(matches(&context), "false");
    context.regex_matching = RegexMatching::Part;
    assert_eq!(matches(&context), "true");
    let error = result(&tree, &context, "/data", "regex(., '(?=0).*')").unwrap_err();
    assert!(matches!(error, EvaluationError::BadPattern { .. }));
}

#[test]
fn documents_keep_what_the_dom_keeps() {
    let xml = "<!DOCTYPE a>\n<a x:y='1&#10;&lt;2' z=' p\n q ' xmlns:x='urn:x'>t&amp;u<![CDATA[<v>]]><!-- c --><?p q?>\r\nw</a>\n<!-- end -->";
    let tree = document::parse(xml).unwrap();
    for (source, expected) in [
        ("count(/node())", "3"),
        ("count(/a/node())", "5"),
        ("count(/a/text())", "3"),
        ("string(/a)", "t&u<v>\nw"),
        ("/a/@x:y", "1\n<2"),
        ("/a/@z", " p  q "),
        ("count(/a/@*)", "2"),
        ("count(/a/namespace::*)", "1"),
        ("/a/processing-instruction('p')", "q"),
        ("namespace-uri(/a/@x:y)", "urn:x"),
    ] {
        assert_eq!(value(&tree, source), expected, "{source}");
    }
}

#[test]
fn prefixes_mean_what_the_document_or_the_caller_says() {
    let mut tree =
        document::parse("<a xmlns='urn:a' xmlns:b='urn:b'><b:c/><c xmlns='urn:c'/><d xmlns=''/></a>").unwrap();
    for (source, expected) in [
        ("count(/a)", "0"),
        ("count(//b:*)", "1"),
        ("count(//d)", "1"),
        ("count(//xhtml:a)", "0"),
        ("count(//x:c)", "0"),
    ] {
        assert_eq!(value(&tree, source), expected, "{source}");
    }
    tree.bind_prefix("x", "urn:c");
    tree.bind_prefix("b", "urn:a");
    assert_eq!(value(&tree, "concat(count(//x:c), count(/b:a), count(//b:c))"), "110");
    let mut form = document::parse(FORM).unwrap();
    form.set_start(Tree::ROOT);
    assert_eq!(value(&form, "/h:html/h:head/h:title"), "Hộ gia đình");
    assert_eq!(value(&form, "count(/data)"), "0");
}

#[test]
fn documents_that_are_none_are_refused_with_line_and_column() {
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>";
    let deep = "<a>".repeat(300) + &"</a>".repeat(300);
    for (xml, line, column) in [
        ("", 1, 1),
        ("<a>\n <b></a>", 2, 5),
        ("<a/>\n<b/>", 2, 1),
        ("<a>\n  &nbsp;</a>", 2, 3),
        (bomb, 1, 60),
        ("<a>đ<x:b/></a>", 1, 5),
        ("<a c='1' c='2'/>", 1, 1),
        ("text<a/>", 1, 1),
        ("<a>&#0;</a>", 1, 4),
        (&deep, 1, 769),
    ] {
        let error = document::parse(xml).unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{xml} {error}");
        assert!(!error.vietnamese().is_empty());
    }
}
