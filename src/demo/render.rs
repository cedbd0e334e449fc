//! Drawing a scene: backdrop, soft shadows, then the objects, every edge anti-aliased from its signed distance.

use image::RgbImage;

use super::backdrop::Backdrop;
use super::scene::{Object, Scene};
use super::shapes::Point;
use super::texture::second_tone;

/// The side, in pixels, at which the demo draws.
pub const DEFAULT_SIZE: u32 = 192;

/// How far a shadow's soft edge reaches beyond the silhouette, and where it falls, in units of the object's size.
const SHADOW_REACH: f32 = 0.2;
const SHADOW_OFFSET: Point = (0.06, 0.13);
const SHADOW_TONE: [f32; 3] = [62.0, 56.0, 92.0];
/// Width of the darker rim inside the silhouette, in units of the object's size: it keeps the outline of a textured
/// object whole where its light tone would melt into the backdrop.
const RIM: f32 = 0.1;
/// The silhouettes' bound (see [`Object::size`]).
const BOUND: f32 = 1.1;

/// Draws the scene `size` × `size` pixels. Sizes above 4096 are drawn at 4096. The same scene gives the same bytes on
/// every platform.
pub fn render(scene: &Scene, size: u32) -> RgbImage {
    let size = size.min(4096);
    let mut canvas = Canvas { pixels: Vec::with_capacity((size * size) as usize), size };
    canvas.draw_backdrop(Backdrop::new(scene.backdrop));
    for object in &scene.objects {
        canvas.draw_shadow(object);
    }
    for object in &scene.objects {
        canvas.draw_object(object);
    }
    canvas.into_image()
}

/// Row-major sRGB, 0..=255 in floats.
struct Canvas {
    pixels: Vec<[f32; 3]>,
    size: u32,
}

impl Canvas {
    fn draw_backdrop(&mut self, backdrop: Backdrop) {
        let pixel = 1.0 / self.size as f32;
        for row in 0..self.size {
            let y = (row as f32 + 0.5) * pixel;
            self.pixels
                .extend((0..self.size).map(|column| backdrop.tone((column as f32 + 0.5) * pixel, y, pixel / 2.0)));
        }
    }

    fn draw_shadow(&mut self, object: &Object) {
        let (x, y) = object.centre;
        let centre = (x + SHADOW_OFFSET.0 * object.size, y + SHADOW_OFFSET.1 * object.size);
        self.paint(&Object { centre, ..*object }, BOUND + SHADOW_REACH, |_, distance, _| {
            let depth = ((SHADOW_REACH - distance) / (2.0 * SHADOW_REACH)).clamp(0.0, 1.0);
            (SHADOW_TONE, 0.3 * depth * depth * (3.0 - 2.0 * depth))
        });
    }

    fn draw_object(&mut self, object: &Object) {
        let (first, second) = (object.colour.rgb(), second_tone(object.colour));
        self.paint(object, BOUND, |p, distance, pixel| {
            let cover = |distance: f32| (0.5 - distance / pixel).clamp(0.0, 1.0);
            let within = cover(distance + RIM);
            let light = within * object.texture.distance(p).map_or(0.0, cover);
            let rim = 0.8 + 0.2 * within;
            let shade = (1.0 - 0.07 * (p.1 + 0.5 * p.0)) * rim;
            let tone = [0, 1, 2]
                .map(|channel| ((first[channel] + (second[channel] - first[channel]) * light) * shade).min(255.0));
            (tone, cover(distance))
        });
    }

    /// Blends `ink(point in the object's frame, distance from its edge, pixel's width there)` = (tone, opacity) over
    /// the square of half-side `reach` around the object.
    fn paint(&mut self, object: &Object, reach: f32, ink: impl Fn(Point, f32, f32) -> ([f32; 3], f32)) {
        let side = self.size as f32;
        let half = reach * object.size * 1.25; // room for the turn
        let first = |at: f32| (((at - half) * side).max(0.0)) as u32;
        let last = |at: f32| ((((at + half) * side).max(0.0)) as u32 + 1).min(self.size);
        let (columns, rows) =
            (first(object.centre.0)..last(object.centre.0), first(object.centre.1)..last(object.centre.1));
        let (sin, cos) = sin_cos(object.angle);
        let scale = 1.0 / (side * object.size);
        for row in rows {
            let dy = (row as f32 + 0.5 - object.centre.1 * side) * scale;
            for column in columns.clone() {
                let dx = (column as f32 + 0.5 - object.centre.0 * side) * scale;
                let p = (cos * dx + sin * dy, cos * dy - sin * dx);
                if p.0.abs() > reach || p.1.abs() > reach {
                    continue;
                }
                let (tone, opacity) = ink(p, object.shape.distance(p), scale);
                if opacity > 0.0 {
                    let pixel = &mut self.pixels[(row * self.size + column) as usize];
                    *pixel = [0, 1, 2].map(|channel| pixel[channel] + (tone[channel] - pixel[channel]) * opacity);
                }
            }
        }
    }

    fn into_image(self) -> RgbImage {
        let mut image = RgbImage::new(self.size, self.size);
        for (to, from) in image.pixels_mut().zip(&self.pixels) {
            to.0 = from.map(|channel| (channel + 0.5).clamp(0.0, 255.0) as u8);
        }
        image
    }
}

/// Sine and cosine of a small angle by their series (error below 1e-6 up to 0.3): the platform's own may differ by a bit.
fn sin_cos(angle: f32) -> (f32, f32) {
    let square = angle * angle;
    (
        angle * (1.0 - square / 6.0 * (1.0 - square / 20.0)),
        1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::captions::{base_sample, tuned_sample};
    use crate::demo::scene::{Colour, Shape, Texture};
    use image::imageops::{FilterType, resize};
    use sha2::{Digest, Sha256};

    fn hash(image: &RgbImage) -> String {
        let digest = Sha256::digest(image.as_raw());
        digest.iter().take(8).fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"))
    }

    /// One object as small as two-object scenes make them, seen at 48 pixels.
    fn small(shape: Shape, texture: Texture, colour: Colour) -> RgbImage {
        let object = Object { shape, texture, colour, centre: (0.5, 0.5), size: 0.15, angle: 0.0 };
        resize(&render(&Scene { backdrop: 7, objects: vec![object] }, 192), 48, 48, FilterType::CatmullRom)
    }

    /// Root mean square over the object's square, in levels of 255.
    fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
        let sum: f64 = a.as_raw().iter().zip(b.as_raw()).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
        (sum / (3.0 * 16.0 * 16.0)).sqrt()
    }

    fn least(images: &[RgbImage]) -> f64 {
        let pairs = images.iter().enumerate().flat_map(|(n, a)| images[..n].iter().map(move |b| difference(a, b)));
        pairs.fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn a_seed_gives_these_bytes_on_every_platform() {
        let (base, caption) = base_sample(1, 0);
        let (tuned, told, negatives) = tuned_sample(1, 0);
        let seen = [hash(&render(&base, 192)), hash(&render(&tuned, 192)), hash(&render(&tuned, 64))];
        assert_eq!(seen, ["40bfa9e7637b476b", "3ce5fe9f0a44b5bb", "774e5b7069e00564"]);
        assert_eq!([caption, told], ["a picture of a red plain cloud.", "a pink ball below a cyan diamond"]);
        let wrong = [
            "a cyan diamond below a pink ball",
            "a cyan ball below a pink diamond",
            "a pink ball above a cyan diamond",
            "a green ball below a cyan diamond",
        ];
        assert_eq!(negatives, wrong);
    }

    #[test]
    fn shapes_textures_and_colours_stay_distinct_when_small() {
        let shapes = Shape::ALL.map(|shape| small(shape, Texture::Plain, Colour::Blue));
        assert!(least(&shapes) > 24.0, "shapes: {}", least(&shapes));
        for shape in Shape::ALL {
            let textures = Texture::ALL.map(|texture| small(shape, texture, Colour::Yellow));
            assert!(least(&textures) > 11.0, "{shape:?}: {}", least(&textures));
        }
        let colours = Colour::ALL.map(|colour| small(Shape::Ball, Texture::Striped, colour));
        assert!(least(&colours) > 15.0, "colours: {}", least(&colours));
    }

    #[test]
    fn a_picture_has_the_size_asked_for_and_objects_at_the_edge_are_cut() {
        let (mut scene, _) = base_sample(1, 0);
        scene.objects[0].centre = (-0.1, 1.1);
        assert_eq!(render(&scene, 33).dimensions(), (33, 33));
        assert_eq!(render(&scene, 0).dimensions(), (0, 0));
    }

    /// `cargo test -p clove --lib contact_sheet -- --ignored` writes into the folder named by `DEMO_SHEET`.
    #[test]
    #[ignore = "draws pictures for a person to look at"]
    fn contact_sheet() {
        let Some(dir) = std::env::var_os("DEMO_SHEET").map(std::path::PathBuf::from) else { return };
        let (mut sheet, mut seen) = (RgbImage::new(8 * 192, 6 * 192), RgbImage::new(8 * 192, 6 * 192));
        for index in 0..48_u32 {
            let (base, told) = base_sample(3, index.into());
            let (tuned, caption, negatives) = tuned_sample(3, index.into());
            let (scene, caption) =
                if index < 24 { (base, told) } else { (tuned, format!("{caption} | {}", negatives.join(" | "))) };
            println!("{caption}");
            let picture = render(&scene, 192);
            let small = resize(&resize(&picture, 48, 48, FilterType::CatmullRom), 192, 192, FilterType::Nearest);
            let (x, y) = (i64::from(index % 8 * 192), i64::from(index / 8 * 192));
            image::imageops::replace(&mut sheet, &picture, x, y);
            image::imageops::replace(&mut seen, &small, x, y);
        }
        sheet.save(dir.join("sheet.png")).unwrap();
        seen.save(dir.join("sheet_48.png")).unwrap();
        let mut all = RgbImage::new(16 * 96, 10 * 96);
        for n in 0..160_usize {
            let (shape, colour) = (Shape::ALL[n % 16], Colour::ALL[n / 16]);
            let texture = Texture::ALL[(n % 16 + n / 16) % 3];
            let object = Object { shape, texture, colour, centre: (0.5, 0.5), size: 0.38, angle: 0.0 };
            let picture = render(&Scene { backdrop: (n / 16) as u32, objects: vec![object] }, 96);
            let (x, y) = ((n % 16 * 96) as u32, (n / 16 * 96) as u32);
            image::imageops::replace(&mut all, &picture, x.into(), y.into());
        }
        all.save(dir.join("all.png")).unwrap();
        let scenes: Vec<Scene> = (0..30).map(|index| base_sample(3, index).0).collect();
        let round = |_| {
            let start = std::time::Instant::now();
            let pixels: usize = scenes.iter().map(|scene| render(scene, 192).len()).sum();
            assert_eq!(pixels, 30 * 192 * 192 * 3);
            start.elapsed() / 30
        };
        println!("{:?} a picture, the best of 20 rounds", (0..20).map(round).min());
    }
}
