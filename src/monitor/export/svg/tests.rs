//! Pictures of every kind of panel, dark and light, with all that can stand in them.

use proptest::prelude::*;

use super::*;

pub(super) fn curve(label: &str, points: &[Option<f64>]) -> PictureCurve {
    PictureCurve {
        label: label.to_owned(),
        points: points.to_vec(),
        low: Vec::new(),
        high: Vec::new(),
        statistics: CurveStatistics::of(points, &[], &[]),
    }
}

pub(super) fn drawn(curves: Vec<PictureCurve>) -> Picture {
    Picture {
        title: "requests/s <& \"more\"\u{1b}".to_owned(),
        unit: Some("req/s".to_owned()),
        kind: PanelKind::Line,
        axis: PictureAxis::default(),
        thresholds: None,
        curves,
        buckets: Vec::new(),
        left_out: 0,
        deploys: vec![(2, "release 17".to_owned())],
        runs: Vec::new(),
        alerts: Vec::new(),
        end: Moment(1_700_000_005_000),
        step: 1_000,
        width: 480,
        height: 240,
        is_light: false,
    }
}

fn two() -> Vec<PictureCurve> {
    vec![
        curve("200", &[Some(1.0), Some(2.5), None, Some(4.0), Some(3.0), Some(3.5)]),
        curve("500", &[None, Some(0.5), None, Some(0.0), Some(0.25), None]),
    ]
}

/// With all that can happen beside the curves.
fn eventful(curves: Vec<PictureCurve>) -> Picture {
    let span = |from, to, firing| PictureSpan { from, to, firing };
    Picture {
        title: "latency".to_owned(),
        unit: Some("s".to_owned()),
        thresholds: Some((2.0, 3.0)),
        runs: vec![(1, "run 4".to_owned())],
        alerts: vec![PictureAlert {
            name: "Slow & <late>".to_owned(),
            spans: vec![span(2, 3, false), span(3, 4, true)],
        }],
        ..drawn(curves)
    }
}

fn buckets() -> Vec<PictureBucket> {
    let bucket =
        |bound: &str, counts: [Option<f64>; 5]| PictureBucket { bound: bound.to_owned(), counts: counts.to_vec() };
    vec![
        bucket("0.5", [Some(4.0), Some(4.0), None, Some(0.0), Some(1.0)]),
        bucket("+Inf <b>", [Some(0.0), Some(0.0), None, Some(9.0), Some(9.0)]),
    ]
}

/// How many elements have that name; fails if it is no XML.
fn elements(svg: &str, name: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut found = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => return found,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)
                if tag.local_name().as_ref() == name =>
            {
                found += 1;
            }
            _ => {}
        }
    }
}

/// The numbers of that attribute of all elements.
fn numbers(svg: &str, attribute: &str) -> Vec<f64> {
    let begin = format!(" {attribute}=\"");
    svg.split(&begin).skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
}

#[test]
fn lines_with_a_gap_and_a_deploy() {
    insta::assert_snapshot!(picture(&Picture { left_out: 3, ..drawn(two()) }));
}

#[test]
fn a_line_with_all_that_happened_beside_it() {
    let peaks = PictureCurve {
        low: vec![Some(0.5), Some(2.0), None, Some(3.5), Some(2.0), Some(3.0)],
        high: vec![Some(1.5), Some(3.0), None, Some(4.0), Some(4.5), Some(3.5)],
        ..two().remove(0)
    };
    insta::assert_snapshot!(picture(&Picture { is_light: true, ..eventful(vec![peaks]) }));
}

#[test]
fn a_line_on_a_logarithmic_axis() {
    let axis = PictureAxis { log: true, ..PictureAxis::default() };
    let wide = curve("a", &[Some(0.02), Some(300.0), Some(0.0), Some(5.0), Some(40.0), Some(0.5)]);
    insta::assert_snapshot!(picture(&Picture { axis, ..drawn(vec![wide]) }));
}

#[test]
fn a_line_that_leaves_the_ends_of_its_axis() {
    let axis = PictureAxis { min: Some(0.0), max: Some(3.0), ..PictureAxis::default() };
    let svg = picture(&Picture { axis, ..drawn(two()) });
    assert!(svg.contains("overflow=\"hidden\""), "{svg}");
    insta::assert_snapshot!(svg);
}

#[test]
fn stacked_areas() {
    insta::assert_snapshot!(picture(&Picture { kind: PanelKind::Area, ..drawn(two()) }));
}

#[test]
fn one_stat() {
    let one = two().remove(0);
    insta::assert_snapshot!(picture(&Picture { kind: PanelKind::Stat, ..eventful(vec![one]) }));
}

#[test]
fn stats_beside_each_other() {
    insta::assert_snapshot!(picture(&Picture { kind: PanelKind::Stat, ..drawn(two()) }));
}

#[test]
fn gauges_with_thresholds() {
    let axis = PictureAxis { min: Some(0.0), max: Some(5.0), ..PictureAxis::default() };
    insta::assert_snapshot!(picture(&Picture { kind: PanelKind::Gauge, axis, ..eventful(two()) }));
}

#[test]
fn a_heat_map() {
    let svg = picture(&Picture { kind: PanelKind::Heatmap, buckets: buckets(), ..eventful(Vec::new()) });
    assert!(svg.contains(">500ms</text>") && svg.contains("+Inf &lt;b&gt;"), "{svg}");
    insta::assert_snapshot!(svg);
}

#[test]
fn a_heat_map_has_a_row_for_each_bucket_and_its_gap() {
    let svg = picture(&Picture { kind: PanelKind::Heatmap, buckets: buckets(), ..drawn(Vec::new()) });
    // The background, three stretches of the first row, two of the second, five shades below.
    assert_eq!(elements(&svg, "rect"), 1 + 3 + 2 + 5, "{svg}");
    let none = picture(&Picture { kind: PanelKind::Heatmap, ..drawn(Vec::new()) });
    assert!(none.contains("there are no buckets"), "{none}");
}

#[test]
fn a_table() {
    insta::assert_snapshot!(picture(&Picture { kind: PanelKind::Table, left_out: 2, ..eventful(two()) }));
}

#[test]
fn foreign_text_stays_text() {
    let svg = picture(&drawn(vec![curve("<script>", &[Some(1.0)]), curve("b", &[])]));
    assert_eq!(elements(&svg, "script"), 0);
    assert!(svg.contains("<title>requests/s &lt;&amp; &quot;more&quot;\u{fffd}</title>"), "{svg}");
    assert!(!svg.contains('\u{1b}'));
}

#[test]
fn what_it_shows_is_told_in_sentences() {
    let svg = picture(&eventful(two()));
    assert_eq!(elements(&svg, "desc"), 1);
    for told in [
        "Curves of 2 series, from 2023-11-14 22:13:20 UTC to 2023-11-14 22:13:25 UTC.",
        "200: min 1 s, mean 2.8 s, max 4 s, last 3.5 s.",
        "500: min 0 s, mean 250 ms, max 500 ms, last not measured.",
        "Thresholds: warn 2 s, bad 3 s.",
        "release 17 went live at 2023-11-14 22:13:22 UTC.",
        "run 4 began at 2023-11-14 22:13:21 UTC.",
        "Alert Slow &amp; &lt;late&gt; fired from 2023-11-14 22:13:23 UTC to 2023-11-14 22:13:24 UTC.",
    ] {
        assert!(svg.contains(told), "{told} is not told:\n{svg}");
    }
}

#[test]
fn long_names_are_cut_and_stay_within_the_picture() {
    let name = |index: usize| format!("path=/a/very/long/path/of/an/endpoint/{index}, instance=127.0.0.1:8080, 서울");
    let curves: Vec<PictureCurve> = (0..8).map(|index| curve(&name(index), &[Some(1.0), Some(2.0)])).collect();
    for kind in [PanelKind::Line, PanelKind::Area, PanelKind::Stat, PanelKind::Gauge, PanelKind::Table] {
        for (width, height) in [(240, 120), (480, 240), (960, 360)] {
            let svg = picture(&Picture { kind, width, height, left_out: 9, ..eventful(curves.clone()) });
            for text in svg.split("<text x=\"").skip(1) {
                let (tag, said) = text.split_once('>').unwrap();
                let said = said.split("</text>").next().unwrap();
                let x: f64 = tag.split('"').next().unwrap().parse().unwrap();
                let wide = canvas::extent(said, canvas::SIZE);
                let (left, right) = match tag {
                    tag if tag.contains("\"start\"") => (x, x + wide),
                    tag if tag.contains("\"end\"") => (x - wide, x),
                    _ => continue,
                };
                // A character reference is longer than what it stands for.
                let is_within = left >= -1.0 && right <= f64::from(width) + 1.0;
                assert!(is_within || said.contains('&'), "{kind:?} {width}: {said} from {left} to {right}");
            }
        }
    }
}

#[test]
fn a_long_unit_leaves_room_for_what_the_thresholds_say() {
    let unit = Some("predictions/s of all models that are served".to_owned());
    let one = curve("a", &[Some(1.0), Some(9.0)]);
    let svg = picture(&Picture { kind: PanelKind::Stat, width: 240, height: 120, unit, ..eventful(vec![one]) });
    let (tag, _) = svg.split("<text x=\"").find_map(|text| text.split_once(">bad</text>")).unwrap();
    let x: f64 = tag.split('"').next().unwrap().parse().unwrap();
    assert!(x + canvas::extent("bad", canvas::SIZE) <= 240.0 - EDGE + 0.1, "{svg}");
}

#[test]
fn what_was_not_measured_is_said() {
    for kind in [PanelKind::Line, PanelKind::Area] {
        let svg = picture(&Picture { kind, ..drawn(vec![curve("x", &[None, None])]) });
        assert!(svg.contains("nothing was measured in this time"), "{svg}");
        assert_eq!(elements(&svg, "path"), 0);
    }
    let axis = PictureAxis { log: true, ..PictureAxis::default() };
    let svg = picture(&Picture { axis, ..drawn(vec![curve("x", &[Some(-1.0)])]) });
    assert!(svg.contains("nothing was above zero"), "{svg}");
}

fn any_kind() -> impl Strategy<Value = PanelKind> {
    prop_oneof![
        Just(PanelKind::Line),
        Just(PanelKind::Area),
        Just(PanelKind::Stat),
        Just(PanelKind::Gauge),
        Just(PanelKind::Heatmap),
        Just(PanelKind::Table),
    ]
}

fn any_points() -> impl Strategy<Value = Vec<Option<f64>>> {
    proptest::collection::vec(proptest::option::of(proptest::num::f64::ANY), 0..7)
}

proptest! {
    #[test]
    fn every_picture_is_xml_with_numbers_whatever_is_in_it(
        kind in any_kind(),
        curves in proptest::collection::vec((".{0,60}", any_points(), any_points(), any_points()), 0..12),
        bounds in proptest::option::of((-1e3_f64..1e3, 1e-3_f64..1e3)),
        thresholds in proptest::option::of((-1e3_f64..1e3, -1e3_f64..1e3)),
        (log, zero, is_light) in any::<(bool, bool, bool)>(),
        (width, height) in (1_u32..2_000, 1_u32..2_000),
        (column, end, step) in (0_usize..20, any::<i64>(), any::<u64>()),
        title in ".{0,60}",
    ) {
        let buckets = curves.iter().map(|(bound, counts, ..)| PictureBucket { bound: bound.clone(), counts: counts.clone() });
        let buckets = if kind == PanelKind::Heatmap { buckets.collect() } else { Vec::new() };
        let curves = curves.into_iter().map(|(label, points, low, high)| PictureCurve {
            statistics: CurveStatistics::of(&points, &low, &high), label, points, low, high,
        });
        let (min, max) = bounds.map_or((None, None), |(min, size)| (Some(min), Some(min + size)));
        let svg = picture(&Picture {
            kind, title, thresholds, buckets, is_light, width, height, step,
            curves: curves.collect(),
            axis: PictureAxis { min, max, log, zero },
            deploys: vec![(column, "release 1".to_owned())],
            runs: vec![(column / 2, "run 1".to_owned())],
            alerts: vec![PictureAlert {
                name: "A".to_owned(),
                spans: vec![PictureSpan { from: column / 2, to: column, firing: log }],
            }],
            end: Moment(end),
            ..drawn(Vec::new())
        });
        prop_assert!(elements(&svg, "svg") >= 1);
        for attribute in ["x", "y", "x1", "y1", "x2", "y2", "width", "height"] {
            prop_assert!(numbers(&svg, attribute).iter().all(|number| number.is_finite()), "{}", svg);
        }
        prop_assert!(!svg.contains("=\"NaN") && !svg.contains("=\"inf") && !svg.contains("MNaN"), "{}", svg);
    }
}
