//! The examples of the documentation run.

use std::fmt::Write as _;

use khaosat_tests::installation::repository;

use crate::analyst::{Analyst, of};

/// The text of a file of the repository.
fn text(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).unwrap()
}

/// A sample of 2 hamlets of each of 2 districts, 3 households in each, 2 persons in each.
fn people() -> String {
    let mut csv =
        "weight,district,hamlet,hamlets_in_district,household,households_in_hamlet,sex,age_group,age,phone".to_owned();
    for person in 0..24 {
        let (household, hamlet) = (person / 2, person / 6);
        let sex = ["female", "male"][person % 2];
        let age = 10 + 7 * (person * 5 % 9);
        let group = if age < 35 { "young" } else { "old" };
        let phone = ["yes", "no", "yes"][person % 3];
        write!(
            csv,
            "\n50,D{},{hamlet},10,{household},30,{sex},{group},{age},{phone}",
            hamlet / 2
        )
        .unwrap();
    }
    csv
}

#[test]
fn the_design_of_the_statistics_page() {
    let page = text("docs/statistics.md");
    let section = page.split("### DESIGN.toml").nth(1).unwrap();
    let design = section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let registry = "code,kind,numerator,domain\nN,total,weight,\nA,mean,age,age >= 15 and sex = 'female'\n";
    let analyst = Analyst::new(&people(), design, registry);
    analyst.write("age_groups.csv", "category,total\nold,700\nyoung,500\n");
    let json = analyst
        .run(&["--format", "json", "--by", "sex", "--by", "age_group"])
        .success()
        .json();
    let estimates = json["estimates"].as_array().unwrap();
    // The column «weight» is 50 in every row, so its total is 50 times what the margins say.
    for (domain, total) in [
        (("sex", "female"), 620.0),
        (("sex", "male"), 580.0),
        (("age_group", "old"), 700.0),
        (("age_group", "young"), 500.0),
    ] {
        let point = of(estimates, "N", Some(domain))["point"].as_f64().unwrap();
        assert!((point - 50.0 * total).abs() < 1e-5, "{domain:?}: {point}");
    }
    assert_eq!(json["sample"]["first_stage_units"], 4);
    assert_eq!(json["sample"]["first_stage_strata"], 2);
}

#[test]
fn the_files_of_the_readme() {
    let readme = text("README.md");
    let section = readme.split("## Estimates from files").nth(1).unwrap();
    let block = section.split("```\n").nth(1).unwrap();
    let file = |name: &str| -> String {
        let lines = block.lines().skip_while(|line| !line.starts_with(name));
        let of_file = lines.take_while(|line| !line.is_empty());
        of_file.map(|line| line[18..].to_owned() + "\n").collect()
    };
    let (design, registry) = (file("design.toml"), file("indicators.csv"));
    let analyst = Analyst::new(&people(), &design, &registry);
    let estimates = analyst.estimates(&["district"]);
    assert_eq!(estimates.len(), 3);
    // Weights are equal, so the point is a share of those of 15 and over.
    let told: Vec<bool> = people()
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells[8].parse::<u32>().unwrap() >= 15)
        .map(|cells| cells[9] == "yes")
        .collect();
    let share = told.iter().filter(|yes| **yes).count() as f64 / told.len() as f64;
    let everybody = of(&estimates, "XHS-01", None);
    assert!((everybody["point"].as_f64().unwrap() - share).abs() < 1e-12);
    assert_eq!(everybody["target"]["percent"], 80.0);
}
