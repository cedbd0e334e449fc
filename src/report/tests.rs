//! The whole report against a small set of results.

use super::*;
use crate::patch::{Alpha, AlphaMap};
use crate::store::results::Row;

/// A score with an interval of ±2 and 200 examples.
pub(super) fn row(benchmark: &str, task: Option<&str>, alpha: f64, metric: &str, value: f64) -> Row {
    Row {
        benchmark: benchmark.into(),
        task: task.map(str::to_owned),
        alpha: AlphaMap::one(Alpha::clamped(alpha)),
        metric: metric.into(),
        value,
        correct: (2.0 * value) as usize,
        scored: 200,
        skipped: 3,
        ties: 1,
        interval: [value - 2.0, value + 2.0],
        bootstrap: None,
        blind: (!metric.starts_with("top")).then_some(51.5),
        remarks: vec!["a, \"remark\"".into()],
        protocol: "asked <once> & counted; subset of 200 out of 400".into(),
    }
}

const ALPHAS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

fn report() -> Report {
    let mut entries = Vec::new();
    let mut add = |row| entries.push(Entry { row, data: "d".repeat(8), device: "CPU".into(), version: "0.1".into() });
    // Recognition falls late, composition rises early; at 0.75 both are beaten by 0.5.
    for (alpha, top1) in ALPHAS.into_iter().zip([90.0, 89.0, 85.0, 74.0, 70.0]) {
        add(row("folder", None, alpha, "top1", top1));
        add(row("folder", None, alpha, "top5", 99.0));
    }
    for (alpha, accuracy) in ALPHAS.into_iter().zip([50.0, 62.0, 74.0, 73.0, 80.0]) {
        add(row("aro-relation", None, alpha, "macro-accuracy", accuracy));
    }
    for task in ["add_att", "add_obj"] {
        for (alpha, accuracy) in ALPHAS.into_iter().zip([60.0, 66.0, 72.0, 70.0, 76.0]) {
            add(row("sugarcrepe", Some(task), alpha, "accuracy", accuracy));
        }
    }
    let model = |name: &str| Model {
        name: name.into(),
        path: format!("/models/{name}"),
        sha256: "0123456789abcdef".repeat(4),
        architecture: Some("ViT 48 px".into()),
        activation: None,
    };
    let made =
        Made { date: "2026-11-25 09:40 UTC".into(), version: "0.1".into(), commands: vec!["clove sweep 'x'".into()] };
    Report { base: model("base <b>"), tuned: model("tuned & co"), entries, made, ..Report::default() }
}

fn gallery() -> Gallery {
    let picture = Picture::of(&image::RgbImage::from_pixel(300, 10, image::Rgb([200, 30, 30]))).unwrap();
    let said = |text: &str| Said { text: text.into(), at_base: Some(0.25), at_alpha: None };
    let failure = |verdict, picture| Failure {
        verdict,
        task: "ARO relation".into(),
        item: "x<y>.png".into(),
        picture,
        right: said("a <i>ball</i> on a table"),
        winner: Some(said("a table on a ball")),
        margins: [0.1, -0.05],
    };
    Gallery {
        failures: vec![failure(Verdict::Broken, Ok(picture)), failure(Verdict::Fixed, Err("it is cut".into()))],
        counts: [7, 0, 1],
        compared: 200,
        unreadable: vec![("broken.png".into(), "it is cut".into())],
    }
}

fn view() -> View {
    View { lines: vec!["aro-relation".parse().unwrap()], ..View::default() }
}

#[test]
fn means_best_and_pareto_are_those_of_the_numbers() {
    let report = report();
    let curves = Curves::of(&report);
    let line = curves.line(&Axis::Recognition, &Axis::Composition);
    let points: Vec<(f64, f64, f64)> = line.iter().map(|mark| (mark.alpha, mark.x.value, mark.y.value)).collect();
    assert_eq!(
        points,
        [(0.0, 90.0, 55.0), (0.25, 89.0, 64.0), (0.5, 85.0, 73.0), (0.75, 74.0, 71.5), (1.0, 70.0, 78.0)]
    );
    assert_eq!((line[0].scored, curves.made_of(&Axis::Composition).as_str()), (600, "mean of 3 tasks in 2 benchmarks"));
    // A third of 20 points may be lost: 5 are at 0.5, 16 at 0.75.
    let settled = curves.settle(&view());
    assert_eq!(settled.alpha, Some(AlphaMap::one(Alpha::clamped(0.5))));
    assert!((settled.budget.unwrap() - 20.0 / 3.0).abs() < 1e-12);
    let figure = figure::Figure::of(&report, &view(), "f");
    assert_eq!(
        figure.headline(),
        "α 0.50: Composition 73.0 % (+18.0 of +23.0 points, 78 %), Recognition 85.0 % (−5.0 of −20.0 points)"
    );
    assert_eq!((0..5).map(|place| figure.is_dominated(place)).collect::<Vec<_>>(), [false, false, false, true, false]);
    assert_eq!(curves.default_lines(), ["aro-relation".parse::<Axis>().unwrap()]);
}

#[test]
fn csv_and_json_hold_every_score() {
    let report = report();
    let text = csv(&report);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 25);
    assert_eq!(
        lines[0],
        "benchmark,task,alpha_image,alpha_text,metric,value,interval_low,interval_high,correct,scored,skipped,ties,blind,\
         bootstrap_low,bootstrap_high,bootstrap_resamples,remarks,protocol,base,base_sha256,tuned,tuned_sha256,data_hash,\
         device,version,exported"
    );
    let hash = "0123456789abcdef".repeat(4);
    assert_eq!(
        lines[16 + 1],
        format!(
            "sugarcrepe,add_att,0.25,0.25,accuracy,66,64,68,132,200,3,1,51.5,,,,\"a, \"\"remark\"\"\",asked <once> & \
             counted; subset of 200 out of 400,/models/base <b>,{hash},/models/tuned & co,{hash},dddddddd,CPU,0.1,\
             2026-11-25 09:40 UTC"
        )
    );
    let found: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    let results = found["results"].as_array().unwrap();
    assert_eq!((results.len(), found["tuned"]["path"].as_str()), (25, Some("/models/tuned & co")));
    let expected = serde_json::json!({
        "benchmark": "folder", "task": null, "alpha": { "image": 0.0, "text": 0.0 }, "metric": "top1", "value": 90.0,
        "correct": 180, "scored": 200, "skipped": 3, "ties": 1, "interval": [88.0, 92.0], "blind": null,
        "remarks": ["a, \"remark\""], "protocol": "asked <once> & counted; subset of 200 out of 400", "seconds": 0.0,
        "data": "dddddddd", "device": "CPU", "version": "0.1",
    });
    assert_eq!(results[0], expected);
}

/// Ids of the marks in a parsed figure.
fn marks(tree: &resvg::usvg::Tree) -> Vec<(String, resvg::usvg::Rect)> {
    fn visit(group: &resvg::usvg::Group, found: &mut Vec<(String, resvg::usvg::Rect)>) {
        for node in group.children() {
            match node {
                resvg::usvg::Node::Group(group) => visit(group, found),
                other if other.id().contains("mark-") => found.push((other.id().to_owned(), other.abs_bounding_box())),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    visit(tree.root(), &mut found);
    found
}

#[test]
fn the_figure_has_a_mark_for_every_alpha_of_every_line() {
    let report = report();
    let svg = figure_svg(&report, &view());
    let tree = raster::tree(&svg).unwrap();
    let found = marks(&tree);
    assert_eq!(found.len(), 2 * ALPHAS.len(), "{found:?}");
    // Ascending in alpha: recognition falls, so the bold line's marks run to the left; its y ends higher than it began.
    let bold: Vec<_> = (0..5).map(|i| found.iter().find(|(id, _)| *id == format!("fmark-0-{i}")).unwrap().1).collect();
    let middle = |r: &resvg::usvg::Rect| (f32::midpoint(r.left(), r.right()), f32::midpoint(r.top(), r.bottom()));
    assert!(bold.windows(2).all(|pair| middle(&pair[1]).0 < middle(&pair[0]).0));
    assert!(middle(&bold[4]).1 < middle(&bold[0]).1);
    for wanted in
        ["mark open", "n = 600", "α 0.50", ">base<", "Composition, %", "subset of 200 out of 400", "base &lt;b&gt;"]
    {
        assert!(svg.contains(wanted), "no {wanted}");
    }
    assert_eq!(svg.matches("mark open").count(), 1, "one alpha is beaten");
    let over = figure_svg(&report, &View { over_alpha: true, ..view() });
    assert_eq!(marks(&raster::tree(&over).unwrap()).len(), 3 * ALPHAS.len(), "composition, recognition, relation");
    let all = View { over_alpha: true, lines: vec!["folder".parse().unwrap()], ..View::default() };
    let all = marks(&raster::tree(&figure_svg(&report, &all)).unwrap());
    assert_eq!(all.len(), 2 * ALPHAS.len(), "the only recognition set is the mean of recognition");
    let lines = View { published: true, x: "folder".parse().unwrap(), y: "aro-relation".parse().unwrap(), ..view() };
    let published = figure_svg(&report, &lines);
    assert!(published.contains("NegCLIP") && published.contains("landmark"), "published models are named");
}

#[test]
fn pixels_are_twice_the_size_and_look_like_the_figure() {
    let report = report();
    let svg = figure_svg(&report, &view());
    let tree = raster::tree(&svg).unwrap();
    let picture = image::load_from_memory(&png(&svg).unwrap()).unwrap().to_rgb8();
    let size = [tree.size().width(), tree.size().height()].map(|side| (2.0 * side).ceil() as u32);
    assert_eq!([picture.width(), picture.height()], size);
    for (place, alpha) in ALPHAS.into_iter().enumerate() {
        let found = marks(&tree);
        let (_, mark) = found.iter().find(|(id, _)| *id == format!("fmark-0-{place}")).unwrap();
        let middle = [mark.left() + mark.right(), mark.top() + mark.bottom()];
        let got = picture.get_pixel(middle[0] as u32, middle[1] as u32).0;
        let expected = if place == 3 { [255, 255, 255] } else { palette::alpha(false, alpha) };
        let near = got.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 12);
        assert!(near, "at alpha {alpha}: {got:?} and {expected:?}");
    }
    // Words are there: the title's room is neither empty nor one colour.
    let dark = |x: u32, y: u32| picture.get_pixel(x, y).0[0] < 100;
    let ink = (40..400).flat_map(|x| (40..80).map(move |y| (x, y))).filter(|&(x, y)| dark(x, y)).count();
    assert!(ink > 300, "{ink} dark pixels in the title");
    let mut colors: Vec<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
    colors.sort_unstable();
    colors.dedup();
    assert!(colors.len() > 100, "{} colours", colors.len());
}

#[test]
fn the_page_needs_nothing_else_and_escapes_what_it_is_given() {
    let mut report = report();
    report.gallery = Some(gallery());
    report.remarks = vec!["<script>alert(1)</script>".into()];
    let change = crate::evaluate::statistics::Change { fixed: 40, broken: 12, compared: 200, p_value: 0.0001 };
    report.changes = vec![("aro-relation".parse().unwrap(), change)];
    let page = html(&report, &view());
    for refused in
        ["<script", "<i>", "<b>", "src=\"http", "href=\"http", "url(http", "url(\"http", "@import", "<link", "<iframe"]
    {
        assert!(!page.contains(refused), "{refused}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "no address at all");
    assert!(page.contains("default-src 'none'"));
    for wanted in [
        "At α 0.50 the patch has 78 % of the gain in composition (73.0 %, +18.0 of +23.0 points) for 25 % of the loss in \
         recognition (85.0 %, −5.0 of −20.0 points)",
        "base &lt;b&gt; patched with tuned &amp; co",
        "74.0 %<small>72.0–76.0, 148/200</small>",
        "40, 12<small>p &lt; 0.001</small>",
        "51.5 %",
        "asked &lt;once&gt; &amp; counted",
        "Broken: 1 of 7",
        "Fixed: 1 of 1",
        "a &lt;i&gt;ball&lt;/i&gt; on a table",
        "a table on a ball",
        "0.250 → –",
        "margin +0.100 → −0.050",
        "data:image/jpeg;base64,",
        "it is cut",
        "lose at most 6.7 points of recognition",
        "not stored with the results",
        &"0123456789abcdef".repeat(4),
        "clove sweep &#39;x&#39;",
        "2026-11-25 09:40 UTC",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(wanted), "no {wanted}");
    }
    assert!(!page.contains("Still wrong:"), "no heading without examples");
    let jpeg = Picture::of(&image::RgbImage::new(1000, 500)).unwrap();
    let small = image::load_from_memory(&jpeg.bytes).unwrap();
    assert_eq!((small.width(), small.height()), (224, 112), "pictures are bounded");
}

#[test]
fn a_single_score_and_nothing_at_all_are_reports_too() {
    let mut single = report();
    single.entries.truncate(1);
    for kind in Kind::ALL {
        assert!(!render(kind, &single, &view()).unwrap().is_empty());
        assert!(!render(kind, &Report::default(), &View::default()).unwrap().is_empty());
    }
    let page = html(&single, &view());
    assert!(page.contains("α 0.00: Recognition 90.0 %"), "{page}");
}

#[test]
fn kinds_and_axes_are_named_by_words() {
    assert_eq!(Kind::of(std::path::Path::new("a/b.SVG")), Some(Kind::Svg));
    assert_eq!(Kind::of(std::path::Path::new("a/b")), None);
    assert!(
        Kind::ALL
            .into_iter()
            .all(|kind| Kind::of(std::path::Path::new(&format!("x.{}", kind.extension()))) == Some(kind))
    );
    for text in ["composition", "recognition", "aro-relation", "sugarcrepe/add_att"] {
        assert_eq!(text.parse::<Axis>().unwrap().to_string(), text);
    }
    assert!("".parse::<Axis>().is_err());
}
