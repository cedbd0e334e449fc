//! The bounds of the axes.

use super::plot::Line;
use super::state::{TradeoffState, View};

/// Bounds that hold all intervals, rounded outwards to five. They grow at once and shrink only by ten or more, so that
/// nothing jumps while points arrive.
pub fn ranges(state: &mut TradeoffState, lines: &[Line], beyond: &[[f64; 2]]) -> [[f64; 2]; 2] {
    let marks = || lines.iter().flat_map(|line| &line.marks);
    let y = outwards(marks().flat_map(|m| [m.y.low, m.y.value, m.y.high]).chain(beyond.iter().map(|[_, y]| *y)));
    let x = if state.view == View::Tradeoff {
        let bold = lines.first().map(|line| &line.marks[..]).unwrap_or_default();
        outwards(bold.iter().flat_map(|m| [m.x.low, m.x.high]).chain(beyond.iter().map(|[x, _]| *x)))
    } else {
        [-0.02, 1.02]
    };
    if state.ranged_for != state.view {
        state.ranged_for = state.view;
        state.ranges = None;
    }
    let old = state.ranges.unwrap_or([x, y]);
    let new = [settle(old[0], x), settle(old[1], y)];
    state.ranges = Some(new);
    new
}

fn outwards(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return [0.0, 100.0];
    }
    let (low, high) = (((low - 1.0) / 5.0).floor() * 5.0, ((high + 1.0) / 5.0).ceil() * 5.0);
    [low.max(-2.0), high.min(102.0)]
}

fn settle(old: [f64; 2], new: [f64; 2]) -> [f64; 2] {
    let low = if new[0] < old[0] || new[0] >= old[0] + 10.0 { new[0] } else { old[0] };
    let high = if new[1] > old[1] || new[1] <= old[1] - 10.0 { new[1] } else { old[1] };
    [low, high]
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact in binary")]
mod tests {
    use super::*;

    #[test]
    fn ranges_grow_at_once_and_shrink_late() {
        assert_eq!(outwards([52.0, 68.0].into_iter()), [50.0, 70.0]);
        assert_eq!(outwards([0.0, 100.0].into_iter()), [-2.0, 102.0]);
        assert_eq!(outwards(std::iter::empty()), [0.0, 100.0]);
        assert_eq!(settle([50.0, 70.0], [45.0, 75.0]), [45.0, 75.0]);
        assert_eq!(settle([50.0, 70.0], [55.0, 65.0]), [50.0, 70.0]);
        assert_eq!(settle([50.0, 90.0], [60.0, 70.0]), [60.0, 70.0]);
    }
}
