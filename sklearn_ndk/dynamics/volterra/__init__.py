"""The Volterra equation (14)-(15): its mesh, time basis and solver."""
