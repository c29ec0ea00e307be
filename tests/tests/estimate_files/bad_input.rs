//! Mistakes in each of the files, told with file, line and column in both languages.

use crate::analyst::Analyst;

pub(crate) const DATA: &str = "w,stratum,cluster,N,age,sex,owns\n\
                    2,a,1,4,20,nam,1\n\
                    2,a,2,4,30,nu,0\n\
                    3,b,3,6,40,nam,1\n\
                    3,b,4,6,50,nu,1\n";
pub(crate) const DESIGN: &str =
    "weights = \"w\"\n\n[[stage]]\ncluster = \"cluster\"\nstratum = \"stratum\"\npopulation = \"N\"\n";
const REGISTRY: &str = "code,kind,numerator,domain\nA,mean,age,\nO,proportion,owns,age >= 25\n";

/// Runs over files that are wrong, and checks that both languages say each of the words in the first that it is wrong in.
#[track_caller]
pub(crate) fn told(analyst: &Analyst, arguments: &[&str], vietnamese: &[&str], english: &[&str]) {
    for (language, prefix, words) in [("vi", "Lỗi: ", vietnamese), ("en", "Error: ", english)] {
        let ended = analyst.run(&[&["--language", language], arguments].concat()).failure();
        assert!(ended.stdout.is_empty(), "{ended:?}");
        assert!(ended.stderr.starts_with(prefix), "{}", ended.stderr);
        for word in words {
            assert!(ended.stderr.contains(word), "{word:?} is not in {}", ended.stderr);
        }
    }
}

#[track_caller]
fn data(data: &str, vietnamese: &[&str], english: &[&str]) {
    told(
        &Analyst::new(data, DESIGN, REGISTRY),
        &[],
        &[&["data.csv"], vietnamese].concat(),
        &[&["data.csv"], english].concat(),
    );
}

#[track_caller]
fn design(design: &str, vietnamese: &[&str], english: &[&str]) {
    told(
        &Analyst::new(DATA, design, REGISTRY),
        &[],
        &[&["design.toml"], vietnamese].concat(),
        &[&["design.toml"], english].concat(),
    );
}

#[track_caller]
fn registry(registry: &str, vietnamese: &[&str], english: &[&str]) {
    told(
        &Analyst::new(DATA, DESIGN, registry),
        &[],
        &[&["registry.csv"], vietnamese].concat(),
        &[&["registry.csv"], english].concat(),
    );
}

#[test]
fn the_files_are_sound_as_they_are() {
    assert_eq!(Analyst::new(DATA, DESIGN, REGISTRY).estimates(&["sex"]).len(), 6);
}

#[test]
fn text_in_a_column_of_numbers() {
    data(
        &DATA.replace("3,b,3,6,40", "3,b,3,6,bốn mươi"),
        &["dòng 4, cột age: \"bốn mươi\" không phải là số"],
        &["line 4, column age: \"bốn mươi\" is not a number"],
    );
    // All at once.
    data(
        &DATA.replace("2,a,1,4", "hai,a,1,4").replace("3,b,4,6", "inf,b,4,x"),
        &["dòng 2, cột w", "dòng 5, cột w", "dòng 5, cột N"],
        &["line 2, column w", "line 5, column w", "line 5, column N"],
    );
}

#[test]
fn missing_and_negative_weights() {
    data(
        &DATA.replace("2,a,2,4", ",a,2,4").replace("3,b,4", "NA,b,4"),
        &["dòng 3, cột w: ô trống", "dòng 5, cột w: ô trống"],
        &[
            "line 3, column w: the cell is empty",
            "line 5, column w: the cell is empty",
        ],
    );
    data(
        &DATA.replace("2,a,2,4", "-2,a,2,4"),
        &["dòng 3, cột w: giá trị -2"],
        &["line 3, column w: -2; it must be a number from 0"],
    );
}

#[test]
fn a_cluster_in_two_strata() {
    data(
        &DATA.replace("3,b,3,6", "3,b,1,6"),
        &[
            "dòng 4, cột stratum: cụm \"1\" thuộc tầng \"b\"",
            "dòng 2 thuộc tầng \"a\"",
        ],
        &[
            "line 4, column stratum: cluster \"1\" is in stratum \"b\"",
            "line 2 in stratum \"a\"",
        ],
    );
}

#[test]
fn a_population_smaller_than_the_sample_or_not_one_number() {
    data(
        &DATA.replace("a,1,4", "a,1,1").replace("a,2,4", "a,2,1"),
        &["dòng 2, cột N: giá trị 1; phải ít nhất 2"],
        &["line 2, column N: 1; it must be at least 2"],
    );
    data(
        &DATA.replace("b,4,6", "b,4,7"),
        &["dòng 5, cột N: giá trị 7, nhưng ở dòng 4 là 6, trong cùng một tầng"],
        &["line 5, column N: 7, but 6 in line 4, in the same stratum"],
    );
}

#[test]
fn files_that_are_no_tables_or_are_not_there() {
    data(
        "w,w\n1,1\n",
        &["cột w: có hai cột cùng tên"],
        &["column w: two columns have this name"],
    );
    data("w,age\n1\n", &["dòng 2", "1 ô"], &["line 2", "1 cells"]);
    data("w,age\n", &["không có dòng dữ liệu"], &["no rows"]);
    let analyst = Analyst::new(DATA, DESIGN, REGISTRY);
    let folder = std::env::temp_dir().display().to_string();
    let missing = format!("{folder}/no such file.csv");
    let run = |data: &str, design: &str| {
        let mut command = khaosat_tests::process::khaosat(["estimate", "--data", data, "--design", design]);
        khaosat_tests::process::run_to_end(command.args(["--indicators", &missing])).failure()
    };
    assert!(run(&missing, &missing).stderr.contains("không đọc được"));
    assert!(run(&folder, &missing).stderr.contains("--data phải là tệp CSV"));
    drop(analyst);
}

#[test]
fn unknown_columns() {
    design(
        &DESIGN.replace("\"cluster\"", "\"clustr\""),
        &["dòng 4: cluster: dữ liệu không có cột \"clustr\"; có phải là \"cluster\"?"],
        &["line 4: cluster: the data have no column \"clustr\"; did you mean \"cluster\"?"],
    );
    registry(
        &REGISTRY.replace("mean,age", "mean,agee"),
        &["dòng 2, cột numerator: dữ liệu không có cột \"agee\"; có phải là \"age\"?"],
        &["line 2, column numerator: the data have no column \"agee\"; did you mean \"age\"?"],
    );
    registry(
        &REGISTRY.replace("age >= 25", "agee >= 25"),
        &["dòng 3, cột domain", "có phải là \"age\"?"],
        &["line 3, column domain", "did you mean \"age\"?"],
    );
    registry(
        &REGISTRY.replace("domain", "domains"),
        &["cột \"domains\"; có phải là \"domain\"?"],
        &["column \"domains\"; did you mean \"domain\"?"],
    );
    told(
        &Analyst::new(DATA, DESIGN, REGISTRY),
        &["--by", "sexx"],
        &["--by: dữ liệu không có cột \"sexx\"; có phải là \"sex\"?"],
        &["--by: the data have no column \"sexx\"; did you mean \"sex\"?"],
    );
}

#[test]
fn keys_of_the_design() {
    design(
        &DESIGN.replace("stratum =", "strata ="),
        &["line 5", "strata"],
        &["line 5", "`strata`", "`stratum`"],
    );
    design("weights = 3\n", &["line 1"], &["line 1", "string"]);
    design("weight = \"w\"\n", &["weight"], &["`weight`", "`weights`"]);
    design(
        &format!("confidence = 95\n{DESIGN}"),
        &["dòng 1: confidence"],
        &["line 1: confidence must be above 0 and below 1"],
    );
    design(
        &DESIGN.replace("population =", "probability = \"w\"\npopulation ="),
        &["dòng 7: một bước chỉ có"],
        &["line 7: a stage has population or probability"],
    );
    design(
        &format!("{DESIGN}joint = \"brewer\"\n"),
        &["dòng 7: joint"],
        &["line 7: joint, form and mean_probability need probability"],
    );
    design(
        &format!("interval = \"exact\"\n{DESIGN}"),
        &["line 1", "exact"],
        &["line 1", "`exact`", "`korn_graubard`"],
    );
}

#[test]
fn contradictory_and_incomplete_margins() {
    let with = |section: &str| format!("{DESIGN}\n[calibration]\nmethod = \"raking\"\n{section}");
    let sexes = "[[calibration.margin]]\ncolumn = \"sex\"\ntotals = { nam = 6, nu = 6 }\n";
    design(
        &with(&format!(
            "{sexes}[[calibration.margin]]\ncolumn = \"stratum\"\ntotals = {{ a = 5, b = 8 }}\n"
        )),
        &["dòng 14: biên stratum cộng lại được 13, biên sex được 12"],
        &["line 14: margin stratum adds up to 13 and margin sex to 12"],
    );
    design(
        &with(&sexes.replace("}", ", khac = 1 }")),
        &["biên sex, nhóm \"khac\" có tổng 1 nhưng không có dòng nào"],
        &["margin sex, category \"khac\" has the total 1 but no row"],
    );
    design(
        &with(&sexes.replace("nu = 6", "nu = 0")),
        &["dòng 11: nhóm \"nu\" có tổng 0"],
        &["line 11: category \"nu\" has the total 0"],
    );
    design(
        &with(&format!("population = 13\n{sexes}")),
        &["dòng 10: population là 13, nhưng biên sex cộng lại được 12"],
        &["line 10: population is 13, but margin sex adds up to 12"],
    );
    design(
        &with(&format!("lower = 0.9\nupper = 1.1\n{sexes}")),
        &["trọng số trong giới hạn chỉ đạt"],
        &["weights within the bounds reach"],
    );
    design(
        &with(sexes).replace("raking", "logit"),
        &["dòng 9: logit cần lower và upper"],
        &["line 9: logit needs lower and upper"],
    );
    design(&with(""), &["dòng 9: cần ít nhất một"], &["line 9: at least one"]);
    told(
        &Analyst::new(DATA, &with(&sexes.replace(", nu = 6", "")), REGISTRY),
        &[],
        &["data.csv", "dòng 3, cột sex: nhóm \"nu\" không có tổng", "dòng 5"],
        &["data.csv", "line 3, column sex: category \"nu\" has no total", "line 5"],
    );
    // Linear calibration without bounds: two men who are 20 and 40 cannot be 100 years old together with weights above 0.
    let ages = with(&format!(
        "{sexes}[[calibration.margin]]\ncolumn = \"age\"\ntotal = 120\n"
    ))
    .replace("raking", "linear");
    told(
        &Analyst::new(DATA, &ages, REGISTRY),
        &[],
        &["data.csv", "cột w: sau hiệu chỉnh, trọng số là -"],
        &["data.csv", "column w: the calibrated weight is -"],
    );
}

#[test]
fn replicates_that_cannot_be_made() {
    let with = |section: &str| format!("{DESIGN}\n[replicates]\n{section}");
    design(
        &with("method = \"jk1\"\n"),
        &["dòng 9: mẫu có tầng; hãy dùng jkn"],
        &["line 9: the sample is stratified; use jkn"],
    );
    design(
        &with("method = \"bootstrap\"\nreplicates = 10\n"),
        &["bootstrap cần replicates và seed"],
        &["bootstrap needs replicates and seed"],
    );
    design(
        &with("method = \"brr\"\ncolumns = [\"rep*\"]\n"),
        &["dòng 10", "\"rep*\""],
        &["line 10", "\"rep*\""],
    );
    design(&with("method = \"fay\"\n"), &["fay cần rho"], &["fay needs rho"]);
    let single = DATA.lines().take(4).collect::<Vec<_>>().join("\n");
    told(
        &Analyst::new(&single, &with("method = \"jkn\"\n"), REGISTRY),
        &[],
        &["tầng \"b\" chỉ có một cụm"],
        &["stratum \"b\" has one cluster"],
    );
    told(
        &Analyst::new(
            DATA,
            &with("method = \"jkn\"\n"),
            "code,kind,numerator\nQ,quantile,age\n",
        ),
        &[],
        &["Q: quantile không tính được"],
        &["Q: a quantile cannot be had"],
    );
}

#[test]
fn the_registry() {
    registry(
        "code,kind,numerator\nA,average,age\n",
        &["dòng 2, cột kind: \"average\" không hợp lệ"],
        &["line 2, column kind: \"average\" is not valid"],
    );
    registry(
        "code,kind,numerator\nA,mean,age\nA,mean,owns\n",
        &["dòng 3, cột code: mã A đã có"],
        &["line 3, column code: code A stands"],
    );
    registry(
        "code,kind,numerator\nA,ratio,age\n",
        &["dòng 2, cột denominator"],
        &["line 2, column denominator"],
    );
    registry(
        "code,kind,numerator,denominator\nA,mean,age,owns\n",
        &["dòng 2, cột denominator: chỉ ratio"],
        &["line 2, column denominator: only ratio"],
    );
    registry(
        "code,kind,numerator,operator,target_percent\nA,total,age,>=,80\n",
        &["dòng 2, cột target_percent"],
        &["line 2, column target_percent: only mean"],
    );
    registry(
        "code,kind,numerator,probability\nA,quantile,age,1.5\n",
        &["dòng 2, cột probability: 1.5"],
        &["line 2, column probability: 1.5 is not valid"],
    );
    registry(
        "code,kind\nA,mean\n",
        &["thiếu cột numerator"],
        &["column numerator is missing"],
    );
}

#[test]
fn what_is_no_proportion() {
    told(
        &Analyst::new(DATA, DESIGN, "code,kind,numerator\nP,proportion,age\n"),
        &[],
        &["data.csv", "dòng 2, cột age: giá trị 20", "dòng 5"],
        &[
            "data.csv",
            "line 2, column age: 20; a proportion needs 0 or 1",
            "line 5",
        ],
    );
}

#[test]
fn missing_values_may_be_refused() {
    let data = DATA.replace("2,a,2,4,30,nu,0", "2,a,2,4,30,nu,");
    told(
        &Analyst::new(&data, &format!("missing = \"refuse\"\n{DESIGN}"), REGISTRY),
        &[],
        &["data.csv", "dòng 3, cột owns: thiếu giá trị"],
        &["data.csv", "line 3, column owns: the value is missing"],
    );
}

#[test]
fn options_that_do_not_go_together() {
    let refused = |arguments: &[&str]| {
        let ended = khaosat_tests::process::run_to_end(&mut khaosat_tests::process::khaosat(arguments));
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        ended.stderr
    };
    assert!(refused(&["estimate", "--design", "d.toml"]).contains("--indicators"));
    assert!(refused(&["estimate", "--by", "sex"]).contains("--design"));
    let both = [
        "estimate",
        "--design",
        "d.toml",
        "--indicators",
        "r.csv",
        "--unit",
        "82",
    ];
    assert!(refused(&both).contains("--unit"));
}
