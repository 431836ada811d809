"""The report of finished results: the data of each chart, and two renderers (plotly for the page, matplotlib for files).

``material`` reads the folder, ``rows`` streams over its episodes, a file a family of charts makes tidy data and marks
(``costs``, ``distribution``, ``schedules``, ``conditions``, ``training``, ``single_episodes``), ``sentence`` says it in
words, ``page`` and ``figures`` render.
"""
