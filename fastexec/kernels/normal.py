"""What is known of the size of a standard normal. It imports nothing: declarations and kernels read the same numbers."""

#: The mean of |z|, sqrt(2 / pi), and its standard deviation, sqrt(1 - 2 / pi).
MEAN_ABSOLUTE, SD_ABSOLUTE = 0.7978845608028654, 0.6028102749890869
#: The k at which sigma e^{k x - k^2} makes |move| correlate most with x, by this correlation: beyond it by less again.
STRONGEST, MOST_OF_SIZE = 0.8223584830732908, 0.5689697039594099
