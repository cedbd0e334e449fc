//! Pictures as textures: what is asked for, what has come, and what must leave when room is short.

use std::collections::HashMap;

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use crate::engine::{ImageId, Picture};
use crate::session::{Arrived, Session};

/// Textures of one kind hold at most this many bytes on the graphics card.
const BUDGET: usize = 64 << 20;
/// Textures that are uploaded in one frame.
const PER_FRAME: usize = 24;

/// A texture, or why there is none.
#[derive(Clone)]
enum Slot {
    Ready(TextureHandle),
    Failed(String),
}

/// What is known about one picture.
pub enum Held<'a> {
    /// Not there yet.
    Missing,
    /// Ready to draw.
    Ready(&'a TextureHandle),
    /// Cannot be shown, and why.
    Failed(&'a str),
}

/// Textures of one size, the longest unused leave first.
#[derive(Default)]
pub struct Cache {
    slots: HashMap<ImageId, (Slot, u64)>,
    bytes: usize,
    clock: u64,
}

impl Cache {
    /// What is held, and a note that it is in use.
    pub fn get(&mut self, image: ImageId) -> Held<'_> {
        self.clock += 1;
        match self.slots.get_mut(&image) {
            None => Held::Missing,
            Some((slot, used)) => {
                *used = self.clock;
                match slot {
                    Slot::Ready(texture) => Held::Ready(texture),
                    Slot::Failed(reason) => Held::Failed(reason),
                }
            }
        }
    }

    /// Whether there is an answer, be it a picture or a reason.
    pub fn has(&self, image: ImageId) -> bool {
        self.slots.contains_key(&image)
    }

    fn insert(&mut self, ctx: &Context, image: ImageId, picture: Result<Picture, String>) {
        let slot = match picture.and_then(|p| pixels(&p)) {
            Ok(pixels) => {
                self.bytes += pixels.pixels.len() * 4;
                let name = format!("image {} {}", image.benchmark, image.image);
                Slot::Ready(ctx.load_texture(name, pixels, TextureOptions::LINEAR))
            }
            Err(reason) => Slot::Failed(reason),
        };
        self.clock += 1;
        if let Some((old, _)) = self.slots.insert(image, (slot, self.clock)) {
            self.bytes -= size_of_slot(&old);
        }
        while self.bytes > BUDGET {
            // The order of a hash map does not matter here: the clock never gives the same tick twice.
            let Some(oldest) = self.slots.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id) else { return };
            if let Some((slot, _)) = self.slots.remove(&oldest) {
                self.bytes -= size_of_slot(&slot);
            }
        }
    }

    fn clear(&mut self) {
        self.slots.clear();
        self.bytes = 0;
    }
}

fn size_of_slot(slot: &Slot) -> usize {
    match slot {
        Slot::Ready(texture) => texture.size()[0] * texture.size()[1] * 4,
        Slot::Failed(_) => 0,
    }
}

fn pixels(picture: &Picture) -> Result<ColorImage, String> {
    let size = [picture.width as usize, picture.height as usize];
    if size[0] == 0 || size[1] == 0 || picture.rgb.len() != 3 * size[0] * size[1] {
        return Err("the picture's bytes do not fit its size".into());
    }
    Ok(ColorImage::from_rgb(size, &picture.rgb))
}

/// Small and large pictures of the open data.
#[derive(Default)]
pub struct Pictures {
    /// For the grid.
    pub small: Cache,
    /// For the detail.
    pub large: Cache,
    data: u64,
}

impl Pictures {
    /// Turns what has arrived into textures, some in every frame. New data empties everything first.
    pub fn take(&mut self, ctx: &Context, session: &mut Session) {
        if self.data != session.data_opened() {
            self.data = session.data_opened();
            self.small.clear();
            self.large.clear();
        }
        let count = session.arrived.len().min(PER_FRAME);
        for Arrived { image, small, picture } in session.arrived.drain(..count) {
            let cache = if small { &mut self.small } else { &mut self.large };
            // A failure of one size must not hide the other size that worked.
            if picture.is_ok() || !cache.has(image) {
                cache.insert(ctx, image, picture);
            }
        }
        if !session.arrived.is_empty() {
            ctx.request_repaint();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn picture(side: u32) -> Picture {
        Picture { width: side, height: side, rgb: Arc::new(vec![7; 3 * (side * side) as usize]) }
    }

    #[test]
    fn the_longest_unused_leave_when_room_is_short() {
        let ctx = Context::default();
        let mut cache = Cache::default();
        let id = |image| ImageId { benchmark: 0, image };
        // 2048² × 4 bytes = 16 MiB: four fit.
        for image in 0..4 {
            cache.insert(&ctx, id(image), Ok(picture(2048)));
        }
        assert!(matches!(cache.get(id(0)), Held::Ready(_)));
        cache.insert(&ctx, id(4), Ok(picture(2048)));
        assert!(cache.has(id(0)) && cache.has(id(4)) && !cache.has(id(1)));
        assert!(cache.bytes <= BUDGET);
    }

    #[test]
    fn bytes_that_do_not_fit_are_a_reason_not_a_panic() {
        let ctx = Context::default();
        let mut cache = Cache::default();
        let id = ImageId { benchmark: 0, image: 0 };
        cache.insert(&ctx, id, Ok(Picture { width: 4, height: 4, rgb: Arc::new(vec![0; 5]) }));
        assert!(matches!(cache.get(id), Held::Failed(_)));
    }
}
