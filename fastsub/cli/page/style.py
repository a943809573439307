"""The looks of the report page: one column, from 320 pixels up, light or dark as the reader's."""

PAGE_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1a1a; --muted: #595959;
  --line: #d0d0d0; --link: #0b5c92; --panel: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16191d; --ink: #f2f2f2; --muted: #b3b3b3; --line: #3d4349; --link: #7cc4f0;
    --panel: #1f242a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem clamp(1rem, 4vw, 2.5rem) 3rem;
  background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: clamp(1.5rem, 5vw, 2.2rem); line-height: 1.2; }
h1, li, td, th, p { overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
h3 { margin: 0 0 .3rem; font-size: 1.05rem; }
header p { margin: .2rem 0; color: var(--muted); }
.kind { text-transform: uppercase; letter-spacing: .06em; font-size: .8rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, main:focus-visible {
  outline: 3px solid var(--link); outline-offset: 3px; border-radius: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -999rem; padding: .6rem 1rem; background: var(--paper); }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: .7rem 0; margin: 1rem 0 0;
  list-style: none; border-block: 1px solid var(--line); }
nav a { display: inline-block; padding: .25rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem 1.2rem .35rem 0;
  border-top: 1px solid var(--line); overflow-wrap: break-word; }
th { font-weight: 600; }
td.number { font-variant-numeric: tabular-nums; }
.basis { background: var(--panel); border-radius: 8px; padding: .9rem 1.1rem; margin: 0 0 1rem; }
.basis table { margin: 0; }
.downloads { margin: .6rem 0 0; }
.downloads a { display: inline-block; padding: .25rem 0; margin-right: 1rem; }
figure { margin: 1rem 0; }
img { display: block; width: 100%; max-width: 36rem; height: auto; }
figcaption { margin-top: .4rem; color: var(--muted); font-size: .95rem; }
.relations { padding-left: 1.2rem; font-variant-numeric: tabular-nums; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--muted); }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .95em; }
@media print { nav, .skip, .downloads { display: none; } }
"""
