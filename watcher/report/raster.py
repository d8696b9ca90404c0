"""The rasteriser itself, alone in its process: SVG from stdin, PNG to stdout.

Run as a file by an isolated interpreter, so it imports nothing but the one package: starting costs as little as drawing
an empty page. `png.py` runs it and knows the limits.
"""

import sys


def rasterise(svg: str, zoom: float, size: tuple[int, int], fonts: list[str]) -> bytes:
    """The picture of `size` pixels as PNG, in these fonts and no others. Raises whatever the native code raises."""
    from resvg import render, usvg

    options = usvg.Options.default()
    for font in fonts:
        options.load_font_file(font)
    tree = usvg.Tree.from_str(svg, options)
    return bytes(render(tree, (zoom, 0, 0, 0, zoom, 0), bg_size=size))


def main(zoom: str, wide: str, tall: str, path: str, *fonts: str) -> None:
    """One picture; `path` is where the package is."""
    sys.path.insert(0, path)
    svg = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(rasterise(svg, float(zoom), (int(wide), int(tall)), list(fonts)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException as error:  # a panic of the native code is no Exception
        sys.stderr.write(f"\n{type(error).__name__}: {str(error)[:200]}\n")
        sys.exit(1)
