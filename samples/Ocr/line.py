"""Draws line.png: a line of printed text, tilted a little and noisy, as a scanner gives it. Needs Pillow, NumPy and the DejaVu fonts."""
import numpy
from PIL import Image, ImageDraw, ImageFont

font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf", 34)
image = Image.new("L", (700, 56), 244)
ImageDraw.Draw(image).text((14, 7), "Back-propagation in C#, 97.8 % right", font=font, fill=38)
image = image.rotate(0.4, resample=Image.Resampling.BICUBIC, fillcolor=244)
noise = numpy.random.default_rng(1).normal(0, 6, (56, 700))
pixels = numpy.clip(numpy.asarray(image) + noise, 0, 255).round() // 8 * 8
Image.fromarray(pixels.astype(numpy.uint8)).save("line.png", optimize=True)
