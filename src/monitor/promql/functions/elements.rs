//! Functions of single values, and the order of values.

use std::cmp::Ordering;

use super::super::line::Line;
use super::super::plan::ElementFunction;

/// The value of `function` for one value.
pub(in super::super) fn of_element(function: ElementFunction, value: f64, parameter: f64) -> f64 {
    match function {
        ElementFunction::Absolute => value.abs(),
        ElementFunction::Ceiling => value.ceil(),
        ElementFunction::Floor => value.floor(),
        ElementFunction::Round => {
            // By the inverse, because 0.1 has no exact binary form and 10 has; halves are rounded up.
            let inverse = 1.0 / parameter;
            (value * inverse + 0.5).floor() / inverse
        }
        ElementFunction::Exponential => value.exp(),
        ElementFunction::NaturalLogarithm => value.ln(),
        ElementFunction::BinaryLogarithm => value.log2(),
        ElementFunction::DecimalLogarithm => value.log10(),
        ElementFunction::SquareRoot => value.sqrt(),
        ElementFunction::Sign => match value.partial_cmp(&0.0) {
            Some(Ordering::Less) => -1.0,
            Some(Ordering::Greater) => 1.0,
            Some(Ordering::Equal) | None => value,
        },
        ElementFunction::Sine => value.sin(),
        ElementFunction::Cosine => value.cos(),
        ElementFunction::Tangent => value.tan(),
        ElementFunction::ArcSine => value.asin(),
        ElementFunction::ArcCosine => value.acos(),
        ElementFunction::ArcTangent => value.atan(),
        ElementFunction::HyperbolicSine => value.sinh(),
        ElementFunction::HyperbolicCosine => value.cosh(),
        ElementFunction::HyperbolicTangent => value.tanh(),
        ElementFunction::AreaSine => value.asinh(),
        ElementFunction::AreaCosine => value.acosh(),
        ElementFunction::AreaTangent => value.atanh(),
        ElementFunction::Degrees => value * 180.0 / std::f64::consts::PI,
        ElementFunction::Radians => value * std::f64::consts::PI / 180.0,
    }
}

/// A value within bounds; none if no value can lie within them.
pub(in super::super) fn clamp(value: f64, least: f64, most: f64) -> Option<f64> {
    if most < least { None } else { Some(greater_of(least, lesser_of(most, value))) }
}

/// As `math.Min` of Go: NaN stays, but nothing is less than minus infinity.
fn lesser_of(left: f64, right: f64) -> f64 {
    if left == f64::NEG_INFINITY || right == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if left.is_nan() || right.is_nan() {
        f64::NAN
    } else {
        left.min(right)
    }
}

/// As `math.Max` of Go.
fn greater_of(left: f64, right: f64) -> f64 {
    -lesser_of(-left, -right)
}

/// The series in the order of their values, if there is one moment only; NaN comes last in either order.
pub(in super::super) fn sorted(mut lines: Vec<Line>, is_descending: bool, steps: usize) -> Vec<Line> {
    if steps == 1 {
        lines.sort_by(|left, right| {
            let values = (left.at(0).unwrap_or(f64::NAN), right.at(0).unwrap_or(f64::NAN));
            ordered(values.0, values.1, is_descending)
        });
    }
    lines
}

/// The order of two values; NaN comes last in either direction.
pub(in super::super) fn ordered(left: f64, right: f64, is_descending: bool) -> Ordering {
    let by_value = left.partial_cmp(&right).unwrap_or(Ordering::Equal);
    left.is_nan().cmp(&right.is_nan()).then(if is_descending { by_value.reverse() } else { by_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(actual: f64, expected: f64) -> bool {
        (actual - expected).abs() < 1e-9
    }

    #[test]
    fn halves_are_rounded_up() {
        assert!(is(of_element(ElementFunction::Round, -2.5, 1.0), -2.0));
        assert!(is(of_element(ElementFunction::Round, 0.26, 0.1), 0.3));
    }

    #[test]
    fn bounds_hold_and_nan_is_not_clamped() {
        assert!(is(clamp(5.0, 0.0, 1.0).unwrap(), 1.0) && is(clamp(-5.0, 0.0, 1.0).unwrap(), 0.0));
        assert!(clamp(f64::NAN, 0.0, f64::INFINITY).unwrap().is_nan());
        assert!(clamp(1.0, f64::NAN, 2.0).unwrap().is_nan());
        assert_eq!(clamp(1.0, 5.0, -5.0), None);
    }

    #[test]
    fn the_sign_of_zero_and_nan_is_themselves() {
        assert!(is(of_element(ElementFunction::Sign, -7.0, 1.0), -1.0));
        assert!(of_element(ElementFunction::Sign, f64::NAN, 1.0).is_nan());
        assert!(is(of_element(ElementFunction::Sign, 0.0, 1.0), 0.0));
    }

    #[test]
    fn nan_comes_last_whichever_way_is_sorted() {
        let mut values = [2.0, f64::NAN, 1.0];
        values.sort_by(|left, right| ordered(*left, *right, true));
        assert!(is(values[0], 2.0) && values[2].is_nan());
        values.sort_by(|left, right| ordered(*left, *right, false));
        assert!(is(values[0], 1.0) && values[2].is_nan());
    }
}
