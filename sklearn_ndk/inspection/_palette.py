"""Okabe and Ito's colours, which colour-blind readers tell apart."""

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
GREY = "#666666"
