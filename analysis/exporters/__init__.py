r"""A session in other people's formats: text and bytes by path, nothing here touches a disk.

The order of the modules, each importing only from those above it:

``anonymity``
    What names the person or their sensors is left out.
``motion_bids``
    Raw streams as a Motion-BIDS dataset.
``opensense``
    Orientations of pelvis and femur for OpenSim's inverse kinematics.
``tidy``
    Repetitions and angles as tables with a data package descriptor.
``table``
    All of them by name, those of plug-ins included.

An exporter is a function of a `Session` and the `Settings` that gives file contents by path. One of
your own registers under the entry point group ``hiprot.exporters``; `hiprot export --to` then
knows it by the entry point's name:

>>> from imu.recording import Session, SessionInfo
>>> from analysis.settings import Settings
>>> def sets_only(session: Session, settings: Settings) -> dict[str, str | bytes]:
...     return {"sets.txt": "".join(f"{one.name}\n" for one in session.recordings)}
>>> sets_only(Session("made-up", SessionInfo(), ()), Settings())
{'sets.txt': ''}
"""
