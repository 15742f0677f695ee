"""A small library of exercises. Common studio knowledge, put in our own words.

None of them needs force. Each text carries what to watch for, because a tired voice that is
pushed gets hurt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CARE_PREFIX: Final = "Take care:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise: what it is for, its steps, how long, and what to be careful about."""

    id: str
    name: str
    minutes: int
    purpose: str
    steps: tuple[str, ...]
    caution: str

    @property
    def text(self) -> str:
        """The exercise as lines: title, purpose, numbered steps, caution."""
        steps = [f"{number}. {step}" for number, step in enumerate(self.steps, start=1)]
        title = f"{self.name} ({self.minutes} minutes)"
        return "\n".join((title, self.purpose, *steps, f"{CARE_PREFIX} {self.caution}"))


_ALL = (
    Exercise(
        id="hiss",
        name="The slow hiss",
        minutes=4,
        purpose="Teaches the ribs to let the air out slowly and evenly.",
        steps=(
            "Stand or sit tall and breathe in low and without a sound while you count to 3.",
            "Let the air out on a soft, even “sss” for a count of 8.",
            "Rest for two normal breaths, then go on to a count of 12, later 16.",
            "Listen to the hiss: it should be as strong at the end as at the start.",
        ),
        caution="stop while a little air is left; if you feel dizzy, sit and breathe normally.",
    ),
    Exercise(
        id="lip_trill",
        name="Lip trills on five notes",
        minutes=4,
        purpose="Links steady air to pitch: if the air stops, so does the trill.",
        steps=(
            "Put two fingertips lightly on your cheeks and blow so that the lips flutter.",
            "Add voice and climb five notes up and down in the middle of your range.",
            "Move up by one semitone after each round, five or six times, then come back down.",
            "Sing one line of your song on the trill, then with its words.",
        ),
        caution="keep it quiet and easy; go no higher than feels like a yawn.",
    ),
    Exercise(
        id="straw",
        name="Humming through a straw",
        minutes=5,
        purpose="The gentle back-pressure helps the voice to close cleanly with little effort.",
        steps=(
            "Hold a drinking straw between the lips and hum through it; no air leaves by the nose.",
            "Glide from low to high and back, three times.",
            "Hold one comfortable note for five seconds, three times, and keep it level.",
            "Hum one line of your song through the straw, then sing it and keep the same ease.",
        ),
        caution="this should feel like rest; stop if the throat tightens.",
    ),
    Exercise(
        id="long_tone",
        name="Long notes beside a tuner",
        minutes=5,
        purpose="Makes you notice when a held note moves, and in which direction.",
        steps=(
            "Choose a comfortable note on a piano or a tuner and sing “oo” for six seconds.",
            "Watch the needle only at the end: did the note rise or sink?",
            "Sing it again with the eyes closed and keep the air moving to the last moment.",
            "Do the same on three neighbouring notes.",
        ),
        caution="stay in the middle of your range and at speaking loudness.",
    ),
    Exercise(
        id="drone",
        name="Tuning to a drone",
        minutes=5,
        purpose="Trains the ear to find the middle of a note by the beating against a steady tone.",
        steps=(
            "Let a keyboard or an app hold the home note of your song, softly.",
            "Sing that note on “oo” until your voice seems to vanish inside it.",
            "Sing up the scale one step at a time; wait on each until it rings.",
            "Sing the line from your take slowly over the drone.",
        ),
        caution="keep the drone quieter than your voice, so that you do not push.",
    ),
    Exercise(
        id="siren_landing",
        name="Glide and land",
        minutes=4,
        purpose="Teaches the voice where a note is, so that it can start there.",
        steps=(
            "Glide on “oo” from below up to the note and stop exactly on it.",
            "Glide from above down to the same note.",
            "Now only think the glide in silence, and start straight on the note.",
            "Use it on the first word of the marked phrase, four times.",
        ),
        caution="glide softly; leave out any part of the range that scratches.",
    ),
    Exercise(
        id="gentle_onset",
        name="Gentle starts",
        minutes=4,
        purpose="Brings air and voice together at the same instant, neither breathy nor hard.",
        steps=(
            "Say “mm-hm” as if you agree with a friend; notice the easy start of the second part.",
            "Sing “mah” five times on one note with that same start.",
            "Change to “ah” five times; no puff of air before it and no click.",
            "Sing the first notes of your phrase in the same way.",
        ),
        caution="if you hear a hard click at the start, go back to “mah”.",
    ),
    Exercise(
        id="pulses",
        name="Slow pulses",
        minutes=5,
        purpose="Lets an even vibrato appear out of steady air instead of making it with the jaw.",
        steps=(
            "Hold a comfortable note and swing it gently by about a semitone, twice a second.",
            "With a metronome at 60 go to three, then four swings for each click.",
            "Let the last group run free and do not control it.",
            "Hold the last note of a phrase straight for a moment, then let it swing.",
        ),
        caution="jaw and belly stay still; straight notes are fine too, it is a matter of style.",
    ),
    Exercise(
        id="two_beats_more",
        name="Two beats more",
        minutes=4,
        purpose="Builds the habit of saving air for the last word.",
        steps=(
            "Sing the marked phrase and hold its last vowel two beats longer than written.",
            "Keep the loudness level until you stop; end by breathing in, not by squeezing.",
            "Do it three times, then sing the phrase as written.",
            "Join it to the next phrase with one calm breath between them.",
        ),
        caution="when the air is gone, stop; do not press the last bit out.",
    ),
    Exercise(
        id="breath_marks",
        name="Breath marks",
        minutes=5,
        purpose="A planned breath comes early enough and in a place that suits the words.",
        steps=(
            "Read the words aloud and mark a tick wherever the meaning allows a breath.",
            "Speak the text in rhythm and breathe only at the ticks.",
            "Sing it on one vowel with the same breaths.",
            "Sing it with words; if a phrase is too long, add a tick rather than run out.",
        ),
        caution="breathe as much as the phrase needs, not as much as you can hold.",
    ),
    Exercise(
        id="quiet_breath",
        name="The silent breath",
        minutes=3,
        purpose="An open throat takes in air quickly and without noise.",
        steps=(
            "Breathe in as if you smelled something pleasant; feel the throat open.",
            "Breathe in through the mouth with that same open throat, without a sound.",
            "Count “one, two, three, four” aloud, breathe silently in one beat, and go on.",
            "Use that breath in the gaps of your song.",
        ),
        caution="take your time; many fast breaths in a row make you dizzy.",
    ),
    Exercise(
        id="hum_to_vowel",
        name="From hum to vowel",
        minutes=4,
        purpose="Finds the buzzing, carrying sound and takes it into the vowels.",
        steps=(
            "Hum “ng” as in “sing” and feel the buzz around the nose and cheeks.",
            "Open slowly to “ee”, then “eh”, and keep the buzz.",
            "Sing “mee-meh-mah-moh-moo” on one note with the same buzz.",
            "Sing one line on “ng”, then with words.",
        ),
        caution="louder is not the aim; the sound should get bigger without more effort.",
    ),
    Exercise(
        id="vowel_ladder",
        name="The vowel ladder",
        minutes=4,
        purpose="Evens out the sound between vowels.",
        steps=(
            "Sing “ee-eh-ah-oh-oo” on one note in one breath, as if it were one long vowel.",
            "Keep jaw movements small and let the tongue do the work.",
            "Repeat three semitones higher and lower.",
            "Sing your phrase on its vowels alone, then add the consonants.",
        ),
        caution="let the jaw hang loose; stop if it aches.",
    ),
    Exercise(
        id="swell",
        name="Grow and fade",
        minutes=5,
        purpose="Gives you control of loudness without a change of pitch.",
        steps=(
            "Start a comfortable note as softly as you can keep it clear.",
            "Grow for four counts to medium, fade for four counts to soft.",
            "Keep the pitch still; check it with a tuner once.",
            "Choose one word of the phrase as its peak and grow towards it.",
        ),
        caution="medium is loud enough; never push to the edge.",
    ),
    Exercise(
        id="three_colours",
        name="One line, three ways",
        minutes=5,
        purpose="Widens what you can choose from when you want to tell something.",
        steps=(
            "Sing the marked line as if you told a secret.",
            "Sing it as if you called a friend across a room.",
            "Sing it as if you told a story to a child.",
            "Keep what suits the words, and record that version.",
        ),
        caution="change colour, not force; the call is bright rather than loud.",
    ),
    Exercise(
        id="speak_lyrics",
        name="Speak it first",
        minutes=4,
        purpose="Takes the rise and fall of natural speech into the melody.",
        steps=(
            "Speak the line as if you meant it, to one person.",
            "Notice which word you lean on and where you slow down.",
            "Sing it and lean on the same word.",
            "Record both and compare.",
        ),
        caution="keep a relaxed speaking voice; no stage whisper.",
    ),
    Exercise(
        id="speak_rhythm",
        name="Speak the rhythm",
        minutes=4,
        purpose="Separates rhythm from pitch, so that each can settle.",
        steps=(
            "Play the music and tap the beat with a foot.",
            "Speak the words in rhythm, vowels on the beat.",
            "Hum the rhythm on one note.",
            "Sing the line with its melody while you keep tapping.",
        ),
        caution="speak in your normal voice.",
    ),
    Exercise(
        id="count_in",
        name="Breathe on the beat",
        minutes=4,
        purpose="A breath that begins in time makes the entry come in time.",
        steps=(
            "Count the beats before your entry aloud.",
            "Breathe in exactly on the beat before you sing.",
            "Sing only the first word, four times.",
            "Sing the whole phrase with that same breath.",
        ),
        caution="breathe in calmly; a gasp tightens the throat.",
    ),
    Exercise(
        id="leap_ladder",
        name="The leap ladder",
        minutes=4,
        purpose="Lets you hear the second note before you sing it.",
        steps=(
            "Play both notes of the leap, then hum the upper one in your head.",
            "Walk up the scale from the first note to the second.",
            "Sing only the first and the last step.",
            "Sing the leap with the words of your song.",
        ),
        caution="take high leaps lighter, not harder.",
    ),
    Exercise(
        id="listen_back",
        name="Record, listen, repeat",
        minutes=5,
        purpose="We hear ourselves differently while we sing; a recording is a kind mirror.",
        steps=(
            "Play the marked moment twice and say in one sentence what you hear.",
            "Sing only that phrase slowly, three times.",
            "Record it once at full speed.",
            "Compare the two, and keep the one thing that got better.",
        ),
        caution="take a break after fifteen minutes of repeating one spot.",
    ),
    Exercise(
        id="record_again",
        name="A take that can be judged",
        minutes=5,
        purpose="A clear recording of your voice is all that is needed.",
        steps=(
            "Choose a quiet room; soft things such as curtains and cushions help.",
            "Put on headphones so that the music does not reach the microphone.",
            "Keep the microphone a hand's width or two from your mouth, a little to the side.",
            "Sing at least one verse and one chorus.",
        ),
        caution="warm up first with a minute of easy humming.",
    ),
)

LIBRARY: Final = {exercise.id: exercise for exercise in _ALL}
"""All exercises by their id."""
