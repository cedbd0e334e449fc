//! Marks whose shape tells lines apart without colour; the shapes are the window's.

use super::svg::number;

/// A mark as the data of an SVG path: a circle, a square, a triangle, a diamond, a triangle upside down.
pub fn shape(x: f64, y: f64, radius: f64, place: usize) -> String {
    let polygon: &[[f64; 2]] = match place % 5 {
        1 => &[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
        2 => &[[0.0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
        3 => &[[0.0, -1.3], [1.3, 0.0], [0.0, 1.3], [-1.3, 0.0]],
        4 => &[[-1.1, -0.8], [1.1, -0.8], [0.0, 1.2]],
        _ => return circle(x, y, radius),
    };
    let corners: Vec<[f64; 2]> = polygon.iter().map(|[dx, dy]| [x + dx * radius, y + dy * radius]).collect();
    format!("{}Z", line(&corners))
}

fn circle(x: f64, y: f64, r: f64) -> String {
    let (left, right, y, r) = (number(x - r), number(x + r), number(y), number(r));
    format!("M{left} {y}A{r} {r} 0 1 1 {right} {y}A{r} {r} 0 1 1 {left} {y}Z")
}

/// Points joined by straight lines.
pub fn line(points: &[[f64; 2]]) -> String {
    let mut data = String::new();
    for (place, [x, y]) in points.iter().enumerate() {
        data.push(if place == 0 { 'M' } else { 'L' });
        data.push_str(&number(*x));
        data.push(' ');
        data.push_str(&number(*y));
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_closed_and_differ() {
        let all: Vec<String> = (0..5).map(|place| shape(10.0, 20.0, 2.0, place)).collect();
        assert!(all.iter().all(|data| data.starts_with('M') && data.ends_with('Z')));
        assert!((0..5).all(|a| (0..a).all(|b| all[a] != all[b])));
        assert_eq!(all[1], "M8.2 18.2L11.8 18.2L11.8 21.8L8.2 21.8Z");
        assert_eq!(shape(0.0, 0.0, 1.0, 5), shape(0.0, 0.0, 1.0, 0));
    }
}
