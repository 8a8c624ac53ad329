"""From speech to the mouth: timeline, articulation, the rule baseline, cues as text.

recording = Recording("voice.wav")
heard = listen(recording, "what was said")        # words and phones with their times
clip = animate(heard.timeline, heard.contours)    # the mouth, by rules
"""
